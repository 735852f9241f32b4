import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type Api, basePath } from './router.ts'

const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
}

/** The document, and pages for people made of it; nothing comes from outside. */
export function addDocs(api: Api): void {
  let document: ReturnType<Api['getOpenAPI31Document']> | undefined
  api.get('/openapi.json', (c) => {
    document ??= openApiDocument(api)
    return c.json(document)
  })
  api.get('/docs', (c) => c.html(page))
  api.get('/docs/start.js', (c) => c.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8' }))
  api.get('/docs/:file', (c) => {
    const type = assets[c.req.param('file')]
    if (type === undefined) return c.notFound()
    // `next start` runs in the folder that holds node_modules.
    const path = join(process.cwd(), 'node_modules', 'swagger-ui-dist', c.req.param('file'))
    const body = Readable.toWeb(createReadStream(path)) as ReadableStream<Uint8Array>
    return c.body(body, 200, { 'content-type': type, 'cache-control': 'public, max-age=86400' })
  })
}

function openApiDocument(api: Api) {
  const document = api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Berth',
      version: '1',
      description: [
        'Authenticate with `Authorization: Bearer berth_…`; make tokens in the dashboard or with `berth token create`.',
        'Lists answer `{data, nextCursor}`. Problems are RFC 9457 with a stable `code`; unknown fields are refused.',
        'A POST with `Idempotency-Key` may be sent again within a day: it is done once. (Not where a token is made.)',
        'Live routes are server-sent events and go on after `Last-Event-ID`.',
      ].join('\n\n'),
    },
    servers: [{ url: basePath }],
    security: [{ token: [] }],
  })
  const securitySchemes = { token: { type: 'http' as const, scheme: 'bearer' } }
  return { ...document, components: { ...document.components, securitySchemes } }
}

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Berth API</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="${basePath}/docs/swagger-ui.css">
<style>body { margin: 0 } html.dark-mode body { background: #0f1416 }</style>
</head>
<body>
<div id="docs"></div>
<script src="${basePath}/docs/swagger-ui-bundle.js"></script>
<script src="${basePath}/docs/start.js"></script>
</body>
</html>
`

const script = `const dark = matchMedia('(prefers-color-scheme: dark)')
const follow = () => document.documentElement.classList.toggle('dark-mode', dark.matches)
dark.addEventListener('change', follow)
follow()
SwaggerUIBundle({ url: '${basePath}/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })
`
