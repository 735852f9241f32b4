/** The welcome app: one page, served by busybox, that says which container answered. */
export const welcomePage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Welcome to Berth</title>
<style>
:root { color-scheme: light dark; --ink: #0f2733; --soft: #54707c; --paper: #f5f9fa; --card: #fff; --line: #d7e4e8; --accent: #0b7285; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6f1f4; --soft: #93adb7; --paper: #0b1418; --card: #111f25; --line: #20343c; --accent: #4cc4d9; } }
* { box-sizing: border-box; margin: 0 }
body { min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--paper); color: var(--ink); font: 16px/1.6 ui-sans-serif, system-ui, sans-serif }
main { width: 100%; max-width: 560px; background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 40px }
svg { width: 44px; height: 44px; color: var(--accent) }
h1 { font-size: 28px; line-height: 1.25; letter-spacing: -.02em; margin: 20px 0 8px }
p { color: var(--soft) }
dl { margin-top: 28px; padding-top: 20px; border-top: 1px solid var(--line); display: grid; grid-template-columns: auto 1fr; gap: 6px 20px; font-size: 14px }
dt { color: var(--soft) }
dd { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
</style>
</head>
<body>
<main>
<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M5 3v11M19 3v11M5 8h14M3 20c2 0 2-1.5 4.500-1.500S10 20 12 20s2.500-1.500 4.500-1.500S19 20 21 20"/></svg>
<h1>Your first app is at its berth.</h1>
<p>This page comes out of a container that Berth pulled from its own registry, started in a sandbox and watched until it answered. Yours is next.</p>
<dl><dt>Container</dt><dd id="container">@CONTAINER@</dd><dt>Served since</dt><dd>@SINCE@</dd></dl>
</main>
</body>
</html>
`

/** Fills in what only the running container knows, then serves; ends at once when told to. */
export const welcomeScript = `#!/bin/sh
mkdir -p /tmp/www
sed -e "s/@CONTAINER@/$(hostname)/" -e "s/@SINCE@/$(date -u '+%Y-%m-%d %H:%M:%S UTC')/" /welcome/index.html > /tmp/www/index.html
echo "serving on port \${PORT:-8080}"
trap 'exit 0' TERM INT
httpd -f -p "\${PORT:-8080}" -h /tmp/www &
wait
`
