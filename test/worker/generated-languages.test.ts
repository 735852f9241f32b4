/**
 * Real small applications without a Dockerfile, of several languages: built, and asked over HTTP. Their base images are
 * made on the spot, which takes its time: by itself only a few are built; BERTH_TEST_LANGUAGES=all builds every one,
 * BERTH_TEST_LANGUAGES=go,rust these.
 */
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { readBuildLog } from '../../platform/builds/build-log.ts'
import { createBuild } from '../../platform/builds/create-build.ts'
import { getDeployment } from '../../platform/deployments.ts'
import { isInProgress } from '../../platform/model/deployment-status.ts'
import { type ImageSpec, makeTar } from '../support/images.ts'
import { npmImage } from '../support/npm-image.ts'
import { operator } from '../support/platform.ts'
import { debianImage, npmProgramImage } from '../support/runtime-images.ts'
import { until } from '../support/until.ts'
import { startTestHost, type TestHost } from '../support/worker.ts'

/** By their names in BERTH_BUILD_IMAGES. */
const images: Record<string, () => Promise<ImageSpec>> = {
  node: async () => ({ ...(await npmImage()), files: {} }),
  bun: () => npmProgramImage('bun', 'bun@1'),
  deno: () => npmProgramImage('deno', 'deno@2'),
  static: () => debianImage(['caddy']),
  debian: () => debianImage(['libc6', 'libgcc-s1']),
  python: () => debianImage(['python3', 'python3-venv'], { links: { 'usr/bin/python': 'python3' } }),
  go: () => debianImage(['golang-go']),
  rust: () => debianImage(['cargo', 'gcc', 'libc6-dev'], { links: { 'usr/bin/cc': 'gcc' } }),
}

interface Application {
  needs: (keyof typeof images)[]
  files: Record<string, string>
  what: RegExp
  says: RegExp
  path?: string
  /** Built by itself; the others where they are asked for. */
  isQuick?: boolean
}

const nodeServer = (say: string) =>
  `require('http').createServer((_, answer) => answer.end(${say})).listen(process.env.PORT)\n`
const manifest = (more: object) => JSON.stringify({ name: 'shop', private: true, ...more })

const applications: Record<string, Application> = {
  static: {
    ...{ needs: ['static'], what: /static pages/, isQuick: true },
    files: { 'index.html': 'home', 'about/index.html': 'about us' },
    ...{ path: '/about/', says: /^about us$/ },
  },
  python: {
    ...{ needs: ['python'], what: /^Python [\d.]+, pip$/, says: /^python as 1000$/, isQuick: true },
    files: {
      'requirements.txt': '# none\n',
      'app.py': [
        'import http.server, os',
        'class Page(http.server.BaseHTTPRequestHandler):',
        '  def do_GET(self):',
        '    self.send_response(200)',
        '    self.end_headers()',
        "    self.wfile.write(b'python as %d' % os.getuid())",
        "http.server.HTTPServer(('', int(os.environ['PORT'])), Page).serve_forever()",
      ].join('\n'),
    },
  },
  procfile: {
    ...{ needs: ['node'], what: /^Node\.js/, says: /^web --blue$/, isQuick: true },
    files: {
      'package.json': manifest({ scripts: { start: 'false' } }),
      Procfile: 'release: false\nweb: node serve.js --blue\n',
      'serve.js': nodeServer("'web ' + process.argv[2]"),
    },
  },
  pnpm: {
    ...{ needs: ['node'], what: /^Node\.js .*pnpm$/, says: /^1m$/ },
    files: {
      'package.json': manifest({
        packageManager: 'pnpm@10.20.0',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'node server.js' },
      }),
      'server.js': nodeServer("require('ms')(60000)"),
    },
  },
  bun: {
    ...{ needs: ['bun'], what: /^Bun$/, says: /^bun 1m$/ },
    files: {
      'package.json': manifest({
        packageManager: 'bun@1.3.0',
        dependencies: { ms: '2.1.3' },
        scripts: { start: 'bun server.ts' },
      }),
      'server.ts':
        "import ms from 'ms'\nBun.serve({ port: process.env.PORT, fetch: () => new Response('bun ' + ms(60000)) })\n",
    },
  },
  deno: {
    ...{ needs: ['deno'], what: /^Deno$/, says: /^deno 1m$/ },
    files: {
      'deno.json': JSON.stringify({ imports: { ms: 'npm:ms@2.1.3' } }),
      'main.ts':
        "import ms from 'ms'\nDeno.serve({ port: Number(Deno.env.get('PORT')) }, () => new Response('deno ' + ms(60000)))\n",
    },
  },
  go: {
    ...{ needs: ['go', 'debian'], what: /^Go 1\.19$/, says: /^go as 1000$/ },
    files: {
      'go.mod': 'module shop\n\ngo 1.19\n',
      'main.go': [
        'package main',
        'import ("fmt"; "net/http"; "os")',
        'func main() {',
        '  http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "go as %d", os.Getuid()) })',
        '  http.ListenAndServe(":" + os.Getenv("PORT"), nil)',
        '}',
      ].join('\n'),
    },
  },
  rust: {
    ...{ needs: ['rust', 'debian'], what: /^Rust$/, says: /^rust$/ },
    files: {
      'Cargo.toml': '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n',
      'src/main.rs': [
        'use std::io::{Read, Write};',
        'fn main() {',
        '  let port = std::env::var("PORT").unwrap();',
        '  for stream in std::net::TcpListener::bind(format!("0.0.0.0:{port}")).unwrap().incoming() {',
        '    let mut stream = stream.unwrap();',
        '    let _ = stream.read(&mut [0; 4096]);',
        '    let _ = stream.write_all(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: 4\\r\\n\\r\\nrust");',
        '  }',
        '}',
      ].join('\n'),
    },
  },
}

/** Why there is no application of these. */
const untested = {
  java: 'Maven and Gradle take every plugin from a registry of packages that builds here do not reach',
  dotnet: 'Debian has no .NET, and npm neither',
  'yarn 2 and later': 'corepack takes it from a host of its own, not from npm',
  'packages of PyPI, RubyGems, crates.io, Packagist, Go':
    'tried by `flask` only; the others use the standard library',
}

const asked = (process.env.BERTH_TEST_LANGUAGES ?? '').split(',').filter((name) => name !== '')
const isAsked = (name: string) =>
  asked.length === 0 ? applications[name]?.isQuick === true : asked.includes('all') || asked.includes(name)
const chosen = Object.keys(applications).filter(isAsked)

let host: TestHost
const pushed = new Map<string, Promise<string>>()

beforeAll(async () => {
  const left = Object.keys(applications).filter((name) => !chosen.includes(name))
  if (left.length > 0)
    console.info(`left out: ${left.join(', ')} (they take minutes; BERTH_TEST_LANGUAGES=all builds them)`)
  for (const [name, why] of Object.entries(untested)) console.info(`not tested: ${name}: ${why}`)
  host = await startTestHost({ postgresUrl: inject('postgresUrl'), redisUrl: inject('redisUrl') })
  const own = `${host.berth.config.registryHost}/acme`
  host.berth.environment.BERTH_BUILD_IMAGES = Object.keys(images)
    .map((name) => `${name}=${own}/${name}:1`)
    .join(',')
  await host.startWorker()
})

afterAll(async () => {
  await host?.close()
})

/** npm and apt fetch what they need, which takes as long as it takes. */
const longMs = 300_000

async function push(name: string): Promise<string> {
  const known = pushed.get(name)
  if (known !== undefined) return known
  const made = images[name]?.().then((spec) =>
    host.push(`${name}:1`, { ...spec, entrypoint: undefined, files: {} }),
  )
  if (made === undefined) throw new Error(`there is no image ${name}`)
  pushed.set(name, made)
  return made
}

test.each(chosen)(
  '%s: source without a Dockerfile is built and answers',
  async (name) => {
    const application = applications[name]
    if (application === undefined) return
    for (const image of application.needs) await push(image)
    const app = await host.makeApp(`${host.berth.config.registryHost}/acme/none:latest`, {
      limits: { memoryBytes: 512 * 2 ** 20, cpuMillis: 1_000, pids: 200 },
    })
    const entries = Object.entries(application.files).map(([path, content]) => ({ name: path, content }))
    const body = Readable.toWeb(Readable.from([await makeTar(entries)])) as ReadableStream<Uint8Array>
    const { id } = await createBuild(host.berth.platform, operator, app.id, { format: 'tar', body })
    const over = await until(
      'the deployment is over',
      async () => {
        const now = await getDeployment(host.berth.platform, operator, id)
        return !isInProgress(now.status) && now
      },
      longMs,
    )
    const lines = (await readBuildLog(host.berth.platform, operator, id)).lines.map(({ text }) => text)
    expect(over.build?.generated?.what).toMatch(application.what)
    expect(over.status, `${JSON.stringify(over.failure)}\n${lines.join('\n')}`).toBe('live')
    const answer = await host.ask(app, application.path ?? '/')
    expect(answer.status).toBe(200)
    expect(answer.body).toMatch(application.says)
  },
  2 * longMs,
)
