run lambda { |env|
  sleep 1.2 if env["PATH_INFO"] == "/slow"
  [200, { "content-type" => "text/plain", "content-length" => "3" }, ["ok\n"]]
}
