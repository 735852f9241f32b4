/** Pages that are there as they are, or that a build made. */
import { execCommand, plan } from './dockerfile.ts'
import type { Detector, SourceFacts } from './source-view.ts'

export const staticSite: Detector = {
  lookedFor: 'index.html, or public/index.html (pages as they are)',
  async detect(source) {
    const folder = ['', 'public/', 'dist/', 'site/', 'www/', 'docs/'].find((each) =>
      source.has(`${each}index.html`),
    )
    if (folder === undefined) return null
    return plan(
      'static pages',
      source,
      staticServer(source, `COPY ${folder === '' ? '.' : folder} /srv`, false),
      ['Caddyfile'],
    )
  },
}

/** Caddy serves them at $PORT, packed where the browser takes that. */
export function staticServer(source: SourceFacts, copyPages: string, isOnePage: boolean): string[] {
  const tries = isOnePage ? '{path} {path}.html /index.html' : '{path} {path}.html {path}/index.html'
  const lines = [
    // As old as Debian's Caddy takes it.
    '{',
    '  admin off',
    '  auto_https off',
    '}',
    ':{$PORT:8080} {',
    '  root * /srv',
    '  encode zstd gzip',
    `  try_files ${tries}`,
    '  file_server',
    '}',
  ]
  const text = lines.map((line) => `'${line}'`).join(' ')
  return [
    `FROM ${source.images.of('static')}`,
    `RUN printf '%s\\n' ${text} > /etc/caddy/Caddyfile`,
    copyPages,
    'ENV HOME=/tmp XDG_CONFIG_HOME=/tmp XDG_DATA_HOME=/tmp',
    'USER 1000:1000',
    execCommand('caddy', 'run', '--config', '/etc/caddy/Caddyfile', '--adapter', 'caddyfile'),
  ]
}
