import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { Readable } from 'node:stream'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startBuilder, type TestBuilder, tarOf } from '../../support/builder.ts'
import type { TestEngine } from '../../support/engine.ts'
import type { TarEntry } from '../../support/images.ts'
import { until } from '../../support/until.ts'

let builder: TestBuilder
let t: TestEngine
/** Of the registry, as builds know it. */
let host: string

beforeAll(async () => {
  builder = await startBuilder()
  t = builder.t
  host = builder.host
  await builder.base('base:1', { files: { 'etc/base': 'base' } })
})

afterAll(async () => {
  await builder?.close()
})

const from = (stage = '') => `FROM ${host}/base:1${stage}\n`

test('a Dockerfile becomes an image in the registry, and a second build of it the same image out of the cache', async () => {
  const files = {
    Dockerfile: `${from()}ARG WHO\nCOPY . /app/\nRUN echo "hello $WHO" > /greeting && cat /greeting\nCMD ["/bin/sh"]\n`,
    'page.html': 'page',
    '.dockerignore': 'left-out\n',
    'left-out': 'x',
  }
  const first = await builder.build(files, { args: { WHO: 'you' }, cache: 'same' })
  expect(first.lines).toContain('hello you')
  expect(first).toMatchObject({ hadCache: false, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })
  const image = await t.engine.images.pull(first.spec.push.reference)
  expect(image.digest).toBe(first.digest)
  const container = t.spec({ image: image.digest, command: ['/bin/ls', '-A', '/app'] })
  await t.engine.containers.create(container)
  await t.engine.containers.start(container.id)
  await t.engine.containers.wait(container.id)
  const seen: string[] = []
  for await (const { text } of t.engine.containers.logs(container.id)) seen.push(text)
  expect(seen).toEqual(['.dockerignore', 'Dockerfile', 'page.html'])
  const second = await builder.build(files, { args: { WHO: 'you' }, cache: 'same' })
  expect(second).toMatchObject({ digest: first.digest, hadCache: true })
  expect(second.lines.join('\n')).toContain('Using cache')
  const changed = await builder.build(
    { ...files, 'page.html': 'other' },
    { args: { WHO: 'you' }, cache: 'same' },
  )
  expect(changed.digest).not.toBe(first.digest)
})

test('a folder of the source, another Dockerfile, one stage of several', async () => {
  const files = {
    'web/build.file': `${from(' AS one')}RUN echo one > /which\n${from(' AS two')}COPY --from=one /which /which\nRUN cat /which\n${from()}RUN false\n`,
  }
  const { lines } = await builder.build(files, { folder: 'web', dockerfile: 'build.file', target: 'two' })
  expect(lines).toContain('one')
})

test('a base image comes from the mirror of its registry, which answers nobody itself', async () => {
  const registries = [{ host: 'elsewhere.invalid', mirrors: [{ url: `http://${host}` }] }]
  const { lines } = await builder.build(
    { Dockerfile: 'FROM elsewhere.invalid/base:1\nRUN cat /etc/base && echo && ! cat /build/auth.json\n' },
    { registries },
  )
  expect(lines).toContain('base')
})

test('a secret is there for its step, and in no layer, configuration or line', async () => {
  const value = 'kq8Xw2Lz-do-not-tell'
  const { digest, lines } = await builder.build(
    {
      Dockerfile: `${from()}RUN --mount=type=secret,id=token busybox wc -c < /run/secrets/token; grep -c 2Lz-do-not /run/secrets/token\n`,
    },
    { secrets: { token: value } },
  )
  expect(lines).toEqual(expect.arrayContaining([String(value.length), '1']))
  const base = `http://127.0.0.1:${t.registry.port}/v2/acme/shop`
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await (await fetch(`${base}/manifests/${digest}`, { headers: { accept } })).json()
  const parts = [manifest.config, ...manifest.layers].map((part: { digest: string }) => part.digest)
  expect(parts.length).toBeGreaterThan(2)
  for (const part of parts) {
    const bytes = Buffer.from(await (await fetch(`${base}/blobs/${part}`)).arrayBuffer())
    const content = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes
    expect(content.length).toBeGreaterThan(100)
    expect(content.includes(value)).toBe(false)
  }
  expect(lines.join('\n')).not.toContain(value)
})

test.each([
  ['tar.gz', gzipSync],
  ['zip', zipOf],
] as const)('a source may come as %s', async (format, pack) => {
  const source = pack(
    format === 'zip'
      ? Buffer.from(`${from()}RUN echo it came\n`)
      : await tarOf({ Dockerfile: `${from()}RUN echo it came\n` }),
  )
  const lines: string[] = []
  const spec = builder.specOf(source, { source: { open: () => Readable.from([source]), format } })
  await t.engine.builder.build(spec, { onLine: ({ text }) => lines.push(text) })
  expect(lines).toContain('it came')
})

test.each([
  ['no archive', Buffer.from('nonsense'.repeat(200)), 'source-invalid'],
  ['no Dockerfile', null, 'dockerfile-missing'],
])('%s ends with its own reason', async (_what, source, reason) => {
  const spec = builder.specOf(source ?? (await tarOf({ 'other.txt': 'x' })))
  await expect(t.engine.builder.build(spec, {})).rejects.toMatchObject({ reason })
})

test.each([
  ['a step that fails', 'RUN echo the reason && exit 7', 'failed'],
  ['a base image that is not there', 'FROM HOST/nothing:1', 'base-image'],
  ['a stage that is not there', 'COPY --from=nowhere /a /b', 'failed'],
  ['an instruction that is none', 'NONSENSE', 'failed'],
])('%s ends with its own reason', async (_what, line, reason) => {
  const dockerfile = `${line.startsWith('FROM') ? '' : from()}${line.replace('HOST', host)}\n`
  const failure = await builder.build({ Dockerfile: dockerfile }).catch((error) => error)
  expect(failure, builder.said().join('\n')).toMatchObject({ reason })
  if (line.startsWith('RUN')) expect(builder.said()).toContain('the reason')
})

test.each([
  ['a fork bomb', 'f() { f | f & }; f; sleep 100', ['too-many-processes', 'timeout', 'failed']],
  ['a memory bomb', 'a=x; while true; do a=$a$a; done', ['out-of-memory']],
  ['a full disk', 'dd if=/dev/zero of=/big bs=1M count=4000', ['disk-full']],
  ['an endless step', 'sleep 1000', ['timeout']],
])('%s is ended by its own limit, and nothing of it is left', async (_what, command, reasons) => {
  const limits = { ...builder.specOf(Buffer.alloc(0)).limits, timeMs: 15_000 }
  const began = Date.now()
  const failure = await builder
    .build({ Dockerfile: `${from()}RUN ${command}\n` }, { limits })
    .catch((error) => error)
  expect(reasons, `${failure} ${builder.said().slice(-5).join('\n')}`).toContain(failure.reason)
  expect(Date.now() - began).toBeLessThan(30_000)
  await builder.nothingIsLeft()
})

test('a build that is called off ends within two seconds, and nothing of it is left', async () => {
  const stop = new AbortController()
  const reason = new Error('called off')
  let endedAt = 0
  const files = { Dockerfile: `${from()}RUN echo begun && sleep 1000\n` }
  const running = builder.build(files, {}, { signal: stop.signal }).finally(() => {
    endedAt = Date.now()
  })
  const settled = expect(running).rejects.toBe(reason)
  await until('its step runs', () => builder.said().includes('begun'))
  const asked = Date.now()
  stop.abort(reason)
  await settled
  expect(endedAt - asked).toBeLessThan(2_000)
  await builder.nothingIsLeft()
})

test('a build is nobody on this host, has few rights, and reaches neither the host nor other networks', async () => {
  const service = createServer((socket) => socket.end('secret of the host\n')).listen(0)
  await once(service, 'listening')
  const { port } = service.address() as AddressInfo
  const other = t.spec({
    command: ['/bin/sh', '-c', 'echo secret of others >/tmp/x; httpd -f -p 8080 -h /tmp'],
  })
  await t.engine.containers.create(other)
  const { address } = await t.engine.containers.start(other.id)
  const tries = [
    `gateway=$(grep nameserver /etc/resolv.conf | head -n 1); gateway=\${gateway#nameserver }; echo via $gateway; nc -w 2 $gateway ${port} </dev/null`,
    `wget -T 2 -q -O - http://${address}:8080/x`,
    'wget -T 2 -q -O - http://169.254.169.254/',
    'wget -T 2 -q -O - http://127.0.0.1:22/',
    'cat /proc/self/uid_map /proc/self/status',
    'ls /proc',
    'mount -t tmpfs none /tmp && echo mounted',
    'unshare -m true && echo unshared',
  ]
  const run = tries.map((command) => `RUN (${command}) 2>&1 || true\n`).join('')
  const { lines } = await builder.build({ Dockerfile: from() + run })
  service.close()
  const text = lines.filter((line) => !line.startsWith('STEP')).join('\n')
  expect(text).toMatch(/via 10\.90\./)
  expect(text).not.toMatch(/secret of/)
  expect(text).toMatch(/0 1500000000 +65536/)
  expect(text).toMatch(/NoNewPrivs:\s+1/)
  // CAP_SYS_ADMIN is bit 21.
  const [, bounding = ''] = /CapBnd:\s+([0-9a-f]+)/.exec(text) ?? []
  expect(BigInt(`0x${bounding}`) & (1n << 21n)).toBe(0n)
  expect(text).not.toMatch(/^(mounted|unshared)$/m)
  // Processes of the host would be many.
  expect(lines.filter((line) => /^\d+$/.test(line)).length).toBeLessThan(15)
})

test('an archive and a Dockerfile that mean to leave their folder get nothing of the host', async () => {
  const links: TarEntry[] = [
    { name: 'out', type: 'symlink', linkname: '/etc' },
    { name: 'out/evil', content: 'x' },
    { name: '../../../../../tmp/berth-evil', content: 'x' },
    { name: 'passwd', type: 'symlink', linkname: '../../../../../../etc/passwd' },
  ]
  const source = await tarOf({ Dockerfile: `${from()}COPY passwd* /got\nRUN cat /got || true\n` }, links)
  const lines: string[] = []
  await t.engine.builder
    .build(builder.specOf(source), { onLine: ({ text }) => lines.push(text) })
    .catch((error) => lines.push(String(error)))
  expect(existsSync('/tmp/berth-evil')).toBe(false)
  expect(existsSync('/etc/evil')).toBe(false)
  expect(lines.join('\n')).not.toContain('daemon:')
  for (const dockerfile of ['../../../etc/passwd', '/etc/passwd', '--help'])
    expect(() => t.engine.builder.build(builder.specOf(source, { dockerfile }), {})).toThrow('no path inside')
})

/** One file named Dockerfile, stored. */
function zipOf(content: Buffer): Buffer {
  const name = Buffer.from('Dockerfile')
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt32LE(crc32(content), 10)
  fields.writeUInt32LE(content.length, 14)
  fields.writeUInt32LE(content.length, 18)
  fields.writeUInt16LE(name.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, name, content])
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), fields, Buffer.alloc(14), name])
  const end = Buffer.alloc(18)
  end.writeUInt16LE(1, 4)
  end.writeUInt16LE(1, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(local.length, 12)
  return Buffer.concat([local, central, Buffer.from('PK\x05\x06'), end])
}
