"""A Django project in one file."""

import sys
import time

from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

settings.configure(DEBUG=True, SECRET_KEY="none", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])


def slow(request):
    time.sleep(1.2)
    return HttpResponse("ok\n")


urlpatterns = [path("slow", slow)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
