// Starts `gracelint lsp` and hands the editor's texts to it. All that is known of containers is in the server.
import { commands, ExtensionContext, window, workspace } from "vscode";
import { LanguageClient, LanguageClientOptions, ServerOptions } from "vscode-languageclient/node";

const LANGUAGES = [
  "dockerfile",
  "dockercompose",
  "yaml",
  "helm",
  "json",
  "jsonc",
  "shellscript",
  "python",
  "javascript",
  "typescript",
  "go",
  "java",
  "csharp",
  "ruby",
  "php",
  "rust",
  "makefile",
  "ini",
  "properties",
  "toml",
];
const NAMES = "**/{Containerfile,Procfile,Makefile,*.conf,*.service,*entrypoint*,*ockerfile*,*ontainerfile*}";

let client: LanguageClient | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    commands.registerCommand("gracelint.restart", restart),
    workspace.onDidGrantWorkspaceTrust(restart),
    workspace.onDidChangeConfiguration((event) => {
      const ours = ["gracelint.enable", "gracelint.path", "gracelint.args"];
      if (ours.some((name) => event.affectsConfiguration(name))) {
        void restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  await stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

async function stop(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.dispose();
}

async function start(): Promise<void> {
  const settings = workspace.getConfiguration("gracelint");
  if (!settings.get<boolean>("enable", true)) {
    return;
  }
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  const command = settings.get<string>("path", "gracelint").replaceAll("${workspaceFolder}", folder);
  const trusted = workspace.isTrusted ? [] : ["--no-plugins"];
  const server: ServerOptions = { command, args: ["lsp", ...settings.get<string[]>("args", []), ...trusted] };
  const options: LanguageClientOptions = {
    documentSelector: [
      ...LANGUAGES.map((language) => ({ scheme: "file", language })),
      { scheme: "file", pattern: NAMES },
    ],
  };
  client = new LanguageClient("gracelint", "gracelint", server, options);
  try {
    await client.start();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const advice = "Install it with its extra `lsp`, or set gracelint.path.";
    void window.showErrorMessage(`gracelint could not be started (${reason}). ${advice}`);
  }
}
