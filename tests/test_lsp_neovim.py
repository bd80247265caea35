"""`gracelint lsp` in Neovim, which knows nothing of it but the command."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from editor import needs_the_server, written

needs_the_server()

APP = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: exit(0))\ntime.sleep(60)\n"
SCRIPT = """\
local told = {}
local function say(what, value)
  told[what] = value
end

local function wait(what, holds)
  if not vim.wait(60000, holds, 50) then
    error("waited in vain: " .. what .. "; " .. vim.inspect(vim.diagnostic.get(0)))
  end
end

local function rules()
  return vim.tbl_map(function(found)
    return found.code or found.user_data.lsp.code
  end, vim.diagnostic.get(0))
end

local function work()
  vim.cmd("edit run.sh")
  local id = vim.lsp.start_client({ name = "gracelint", cmd = COMMAND, root_dir = vim.fn.getcwd() })
  vim.lsp.buf_attach_client(0, id)
  local client = vim.lsp.get_client_by_id(id)
  wait("the server", function()
    return client.initialized and client.server_capabilities ~= nil and next(client.server_capabilities) ~= nil
  end)

  vim.api.nvim_buf_set_lines(0, 1, -1, false, { "python app.py" })
  wait("the finding", function()
    return #rules() == 1
  end)
  say("found", rules())
  say("message", vim.diagnostic.get(0)[1].message)

  local range = { start = { line = 1, character = 0 }, ["end"] = { line = 1, character = 0 } }
  local document = vim.lsp.util.make_text_document_params()
  local params = { textDocument = document, range = range, context = { diagnostics = {} } }
  local answer = client.request_sync("textDocument/codeAction", params, 60000, 0)
  local action = answer.result[1]
  say("action", action.title)
  vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
  wait("the end of the finding", function()
    return #rules() == 0
  end)
  say("text", vim.api.nvim_buf_get_lines(0, 0, -1, false))

  params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.position = { line = 1, character = 0 }
  answer = client.request_sync("textDocument/hover", params, 60000, 0)
  say("story", answer.result.contents.value)
  say("saved", vim.fn.readfile("run.sh"))
end

local fine, fault = pcall(work)
if not fine then
  say("fault", fault)
end
vim.fn.writefile({ vim.fn.json_encode(told) }, "told.json")
vim.cmd("qall!")
"""


def installed() -> str:
    neovim = shutil.which("nvim")
    if neovim is None:
        if os.environ.get("CI"):
            pytest.fail("Neovim is not installed")
        pytest.skip("Neovim is not installed")
    return neovim


AS_DOCUMENTED = """\
vim.cmd("edit Dockerfile")
local function wait(holds)
  return vim.wait(60000, holds, 50)
end
local found = wait(function()
  return #vim.diagnostic.get(0) == 1
end)
vim.api.nvim_buf_set_lines(0, 2, -1, false, { 'CMD ["python", "app.py"]' })
local gone = wait(function()
  return #vim.diagnostic.get(0) == 0
end)
vim.fn.writefile({ vim.fn.json_encode({ found, gone }) }, "told.json")
vim.cmd("qall!")
"""


def documented(version: tuple[int, int]) -> str:
    """What docs/editors.md has a Neovim of this version run when it starts."""
    page = (Path(__file__).parents[1] / "docs/editors.md").read_text()
    newest, older, oldest = re.findall(r"```lua\n(.*?)```", page, re.DOTALL)
    return newest if version >= (0, 11) else older if version >= (0, 8) else oldest


def test_the_settings_of_the_page_attach_it(tmp_path: Path) -> None:
    neovim = installed()
    told = subprocess.run([neovim, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = map(int, re.findall(r"NVIM v(\d+)\.(\d+)", told)[0])
    files = {"Dockerfile": "FROM python:3.12-slim\nCOPY . .\nCMD python app.py\n", "app.py": APP}
    project = written(tmp_path / "project", files)
    (tmp_path / "init.lua").write_text(documented((major, minor)))
    (tmp_path / "test.lua").write_text(AS_DOCUMENTED)
    home = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    subprocess.run(
        [neovim, "--headless", "-n", "-u", tmp_path / "init.lua", "-c", f"luafile {tmp_path / 'test.lua'}"],
        cwd=project,
        env=os.environ | home | {"PATH": path},
        timeout=180,
    )
    assert json.loads((project / "told.json").read_text()) == [True, True]


def test_a_finding_is_shown_fixed_and_gone(tmp_path: Path) -> None:
    neovim = installed()
    project = written(
        tmp_path / "project",
        {
            "Dockerfile": 'FROM python:3.12-slim\nCOPY . .\nENTRYPOINT ["./run.sh"]\n',
            "run.sh": "#!/bin/sh\n",
            "app.py": APP,
        },
    )
    command = json.dumps([sys.executable, "-m", "gracelint", "lsp"]).strip("[]")
    script = tmp_path / "test.lua"
    script.write_text(SCRIPT.replace("COMMAND", f"{{ {command} }}"))
    done = subprocess.run(
        [neovim, "--headless", "--clean", "-n", "-c", f"luafile {script}"],
        cwd=project,
        env=os.environ | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=180,
    )
    told = json.loads((project / "told.json").read_text())
    assert "fault" not in told, told["fault"] + done.stderr
    assert told["found"] == ["script-without-exec"]
    assert told["message"].startswith("Debian's dash stays PID 1 in front of `python app.py` and passes no signal on")
    assert told["action"] == "Let the shell exec the program"
    assert told["text"] == ["#!/bin/sh", "exec python app.py"]
    assert "verdict  handled" in told["story"]
    assert told["saved"] == ["#!/bin/sh"]
