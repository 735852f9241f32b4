/** Serves the repositories below a folder by https, with git http-backend: those below /private/ to who knows the password. */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const [folder = '', address = '', port = '', password = ''] = process.argv.slice(2)
const read = (name: string) => readFileSync(join(folder, name))
const expected = `Basic ${Buffer.from(`deploy:${password}`).toString('base64')}`

createServer({ cert: read('cert'), key: read('key') }, (request, response) => {
  const url = new URL(request.url ?? '/', 'https://git')
  const { authorization = '' } = request.headers
  appendFileSync(join(folder, 'http.log'), `${request.method} ${request.url} ${authorization}\n`)
  if (url.pathname.startsWith('/api/')) {
    text(request).then((said) => {
      const line = JSON.stringify({ path: url.pathname, authorization, body: JSON.parse(said) })
      appendFileSync(join(folder, 'statuses.log'), `${line}\n`)
      response.writeHead(201, { 'content-type': 'application/json' }).end('{}')
    })
    return
  }
  if (url.pathname.startsWith('/slow/')) {
    // As a forge that has stopped: it answers nobody until it is told to.
    if (!existsSync(join(folder, 'quick'))) return
    url.pathname = url.pathname.slice('/slow'.length)
  }
  if (url.pathname.startsWith('/moved/')) {
    response.writeHead(301, { location: url.searchParams.get('to') ?? 'http://127.0.0.1:1/x' }).end()
    return
  }
  if (url.pathname.startsWith('/private/') && authorization !== expected) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('who are you?')
    return
  }
  const object = /^\/lfs\/([0-9a-f]{64})$/.exec(url.pathname)?.[1]
  if (object !== undefined) {
    // What LFS keeps is asked for with what its batch said, and nothing else.
    const isMeant = request.headers['x-lfs-ticket'] === password && existsSync(join(folder, `lfs-${object}`))
    response.writeHead(isMeant ? 200 : 403).end(isMeant ? read(`lfs-${object}`) : '')
    return
  }
  if (url.pathname.endsWith('/info/lfs/objects/batch')) {
    text(request).then((said) => {
      const asked = (JSON.parse(said) as { objects: { oid: string; size: number }[] }).objects
      const objects = asked.map((each) => {
        const href = `https://${address}:${port}/lfs/${each.oid}`
        return existsSync(join(folder, `lfs-${each.oid}`))
          ? { ...each, actions: { download: { href, header: { 'X-Lfs-Ticket': password } } } }
          : { ...each, error: { code: 404, message: 'there is no such object' } }
      })
      response
        .writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' })
        .end(JSON.stringify({ transfer: 'basic', objects }))
    })
    return
  }
  const backend = spawn('git', ['http-backend'], {
    env: {
      ...{ ...process.env, GIT_PROJECT_ROOT: join(folder, 'repositories'), GIT_HTTP_EXPORT_ALL: '1' },
      ...{ PATH_INFO: decodeURIComponent(url.pathname), QUERY_STRING: url.search.slice(1) },
      ...{ REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers['content-type'] ?? '' },
      ...{ GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''), HOME: folder },
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  request.pipe(backend.stdin)
  backend.stdin.on('error', () => undefined)
  let head = Buffer.alloc(0)
  let isBody = false
  backend.stdout.on('data', (chunk: Buffer) => {
    if (isBody) return response.write(chunk)
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    isBody = true
    const headers = head.subarray(0, end).toString('latin1').split('\r\n')
    for (const line of headers) {
      const [name = '', value = ''] = line.split(/: (.*)/)
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
  })
  backend.stdout.on('end', () => response.end())
}).listen(Number(port), address)
