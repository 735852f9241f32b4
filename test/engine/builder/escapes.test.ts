/** What a Dockerfile or its context may try. buildah is not the wall: the container that it runs in is. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BuildPhase } from '../../../engine/index.ts'
import { startBuilder, type TestBuilder, tarOf } from '../../support/builder.ts'
import type { TarEntry } from '../../support/images.ts'
import { perlImage } from '../../support/perl-image.ts'
import { until } from '../../support/until.ts'

let builder: TestBuilder
let base: string
/** What only the host has. */
const secret = `of-the-host-${randomBytes(8).toString('hex')}`
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'berth-test-escape-'))
  writeFileSync(join(folder, 'secret'), secret)
  builder = await startBuilder()
  base = await builder.base('perl:1', perlImage())
})

afterAll(async () => {
  await builder?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Runs these in a step each; whether they succeed does not matter. */
async function attempt(commands: string[], more: Record<string, string> = {}, entries: TarEntry[] = []) {
  const steps = commands.map((command) => `RUN (${command}) 2>&1 || true\n`).join('')
  const { lines } = await builder.build(await tarOf({ Dockerfile: base + steps, ...more }, entries))
  return lines.filter((line) => !line.startsWith('STEP')).join('\n')
}

/** Everything below a folder, as far as it can be read, that has the host's secret. */
const search = (root: string) =>
  `for f in ${root}${folder}/secret ${root}/etc/hostname ${root}/root/.bash_history; do echo "$f: $(head -c 200 $f)"; done`

test('a step can’t mount, make devices or namespaces, or touch the kernel’s settings', async () => {
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8')
  const said = await attempt([
    'mkdir -p /m && mount -t proc none /m && echo DONE mounted proc',
    'mount -t tmpfs none /m && echo DONE mounted tmpfs',
    'mount --bind / /m && echo DONE mounted bind',
    'mount -o remount,rw /proc/sys && echo DONE remounted',
    'for kind in m u i n p U; do unshare -$kind true && echo DONE unshared $kind; done',
    'busybox mknod /disk b 8 0 && echo DONE made a disk; busybox mknod /mem c 1 1 && echo DONE made memory',
    'busybox mknod /loop b 7 0 && echo DONE made a loop',
    "echo '|/evil' > /proc/sys/kernel/core_pattern && echo DONE core_pattern",
    'echo c > /proc/sysrq-trigger && echo DONE sysrq',
    'echo 1 > /proc/sys/vm/drop_caches && echo DONE drop_caches',
    'busybox insmod /evil.ko && echo DONE insmod; busybox reboot -f && echo DONE reboot',
    'busybox hostname evil && echo DONE hostname; busybox date -s 2001-01-01; busybox date | grep -q 2001 && echo DONE date',
    'busybox swapoff -a && echo DONE swapoff; busybox nice -n -10 true && echo DONE nice',
    'head -c 10 /proc/kcore && echo DONE kcore; cat /dev/mem && echo DONE mem; ls /dev/sd* /dev/vd* && echo DONE disks',
    'mkdir /cg; mount -t cgroup -o memory none /cg && echo DONE cgroup; ls /sys/fs/cgroup/*/release_agent && echo DONE agent',
  ])
  expect(said).not.toContain('DONE')
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before)
})

test('whoever breaks out of buildah’s chroot is in the build’s own container, and finds nothing of the host', async () => {
  const script = [
    'mkdir "/jail"; chroot "/jail"; chdir ".." for 1..64; chroot "."; chdir "/";',
    'print "ROOT ", join(" ", sort glob("/*")), "\\n";',
    `for my $f ("${folder}/secret", "/etc/hostname", "/etc/shadow", "/proc/1/environ", "/proc/1/cmdline") {`,
    '  print "FILE $f ", (open(my $h, "<", $f) ? do { local $/; <$h> } : "none: $!"), "\\n" }',
    'my ($from, $to, $kind) = ("none", "/tmp", "tmpfs");',
    `print "MOUNT ", (syscall(${process.arch === 'arm64' ? 40 : 165}, $from, $to, $kind, 0, 0) == 0 ? "DONE" : "refused"), "\\n";`,
    'for my $f (glob("/proc/[0-9]*/cmdline")) { open(my $h, "<", $f) or next; print "PROCESS ", <$h>, "\\n" }',
    'for my $d (glob("/dev/*")) { print "DEVICE $d\\n" if -b $d }',
  ].join('\n')
  const { lines } = await builder.build({
    Dockerfile: `${base}COPY escape.pl /\nRUN perl /escape.pl 2>&1 || true\nRUN ${search('/proc/1/root')} 2>&1 || true\n`,
    'escape.pl': script,
  })
  const text = lines.filter((line) => !line.startsWith('STEP')).join('\n')
  // It did get out of the chroot: what it sees is the container's root.
  expect(text).toMatch(/^ROOT .*\/build .*$/m)
  expect(text).toContain('MOUNT refused')
  expect(text).not.toContain(secret)
  expect(text).not.toContain(`/etc/hostname ${hostname()}`)
  expect(text).not.toMatch(/^DEVICE/m)
  const programs = lines.filter((line) => line.startsWith('PROCESS ')).map((line) => line.split(/[ \0]/)[1])
  expect(programs.length).toBeGreaterThan(1)
  for (const program of programs) expect(program).toMatch(/^(\/bin\/)?(sleep|buildah\S*|nc|sh|perl)?$/)
})

test.each([
  [
    'a bind of the context that leads out of it',
    'RUN --mount=type=bind,source=../../../../..,target=/x ls -a /x',
  ],
  ['a bind of the context through a link', 'RUN --mount=type=bind,source=up,target=/x ls -a /x'],
  [
    'a cache that leads out of its place',
    'RUN --mount=type=cache,id=../../../../../../..,target=/x ls -a /x',
  ],
  ['a cache below a link', 'RUN --mount=type=cache,target=/x,source=../../../../.. ls -a /x'],
  ['a copy from above the context', 'COPY ../../../../../etc/shadow /x\nRUN cat /x'],
  ['a copy through a link', 'COPY up/etc/shadow /x\nRUN cat /x'],
  [
    'a copy of a stage through a link',
    'RUN ln -s / /root-link\nFROM scratch\nCOPY --from=0 /root-link/etc/shadow /x',
  ],
  ['a file of the host by its address', 'ADD file:///etc/shadow /x\nRUN cat /x'],
  ['a secret that is none', 'RUN --mount=type=secret,id=../../etc/shadow cat /run/secrets/*'],
  ['the host’s agent for keys', 'RUN --mount=type=ssh ls /run /tmp'],
])('%s finds nothing of the host', async (_what, steps) => {
  const up: TarEntry = { name: 'up', type: 'symlink', linkname: '../../../../../..' }
  const source = await tarOf({ Dockerfile: `${base}${steps}\n` }, [up])
  const failure = await builder.build(source).then(
    () => '',
    (error) => String(error),
  )
  const text = [...builder.said(), failure].join('\n')
  expect(text).not.toContain(secret)
  expect(text).not.toMatch(/^(home|lost\+found|boot|srv|opt)$/m)
  expect(text).not.toMatch(/daemon:|root:[$*!]/)
})

test.each([
  [
    'is a link to the registry’s password',
    { name: '.dockerignore', type: 'symlink', linkname: '/build/auth.json' },
  ],
  [
    'is a link out of the context',
    { name: '.dockerignore', type: 'symlink', linkname: '../../../../etc/shadow' },
  ],
  ['has rules that lead out', { name: '.dockerignore', content: '!../../../etc\n!/etc/**\n../..\n' }],
  ['has rules that can’t be read', { name: '.dockerignore', content: '[\n\\\n[a-\n' }],
  ['is as large as it gets', { name: '.dockerignore', content: '**/*a*/**/*b*/**/c\n'.repeat(20_000) }],
] as const)('a .dockerignore that %s tells nothing, and the build ends', async (_what, ignore) => {
  const push = { credentials: { username: 'build', password: 'kept-from-steps-4711' } }
  const source = await tarOf({ Dockerfile: `${base}COPY . /x/\nRUN ls -a /x /x/etc || true\n` }, [
    ignore as TarEntry,
  ])
  const spec = builder.specOf(source)
  const failure = await builder.build(source, { push: { ...spec.push, ...push } }).then(
    () => '',
    (error) => String(error),
  )
  const text = [...builder.said(), failure].join('\n')
  expect(text).not.toMatch(/4711|auths|daemon:|root:[$*!]/)
  expect(text).not.toContain(Buffer.from('build:kept-from-steps-4711').toString('base64'))
  await builder.nothingIsLeft()
})

test.each(['/build/auth.json', '../../../../build/auth.json', '/proc/self/environ', '/build/secret-0'])(
  'a Dockerfile that is a link to %s is not read out',
  async (linkname) => {
    const source = await tarOf({}, [{ name: 'Dockerfile', type: 'symlink', linkname }])
    const { push } = builder.specOf(source)
    const credentials = { username: 'build', password: 'kept-4712' }
    const secrets = { token: 'kept-4713' }
    const failure = await builder.build(source, { push: { ...push, credentials }, secrets }).then(
      () => '',
      (error) => String(error),
    )
    const text = [...builder.said(), failure].join('\n')
    expect(text).not.toMatch(/471[23]|auths|STORAGE_DRIVER/i)
    expect(text).not.toContain(Buffer.from('build:kept-4712').toString('base64'))
  },
)

test('two builds at once do not reach one another', async () => {
  const stop = new AbortController()
  const serving = builder
    .build(
      {
        Dockerfile: `${base}RUN mkdir /www && echo of-the-neighbour > /www/x && echo at $(busybox ip -4 -o addr show scope global | busybox awk '{print $4}') && httpd -f -p 8080 -h /www\n`,
      },
      { cache: 'neighbour' },
      { signal: stop.signal },
    )
    .catch((error) => error)
  const neighbour = builder.said()
  const address = await until('the neighbour serves', () =>
    neighbour.map((line) => /^at (10\.[\d.]+)/.exec(line)?.[1]).find((found) => found !== undefined),
  )
  // Apps come first, and what it may use is written down for the kernel.
  const [ran] = (await builder.t.engine.containers.list()).filter(({ id }) => id.startsWith('build-'))
  const { memoryBytes, pids, cpuMillis } = builder.specOf(Buffer.alloc(0)).limits
  expect((await builder.t.engine.containers.inspect(ran?.id ?? '')).spec).toMatchObject({
    ...{ limits: { memoryBytes, pids, cpuMillis, cpuWeight: 10 }, readOnlyRoot: true },
  })
  const said = await attempt([
    `wget -T 2 -q -O - http://${address}:8080/x`,
    `ping -c 1 -W 2 ${address} && echo DONE pinged`,
    'find / -xdev -name neighbour 2>/dev/null; ls -d /var/lib/containers/storage/* && echo DONE stores',
  ])
  stop.abort(new Error('enough'))
  expect(await serving).toMatchObject({ message: 'enough' })
  expect(said).not.toMatch(/of-the-neighbour|DONE/)
  await builder.nothingIsLeft()
})

test('secrets, logins and passwords of a build are in no layer, and in nothing that the image says of itself', async () => {
  const secrets = { token: 'Xq71-secret-of-the-build' }
  const logins = [
    { host: 'elsewhere.invalid', prefix: '', username: 'puller', password: 'Xq72-login-of-the-team' },
  ]
  const credentials = { username: 'build', password: 'Xq73-password-of-the-push' }
  const dockerfile = [
    `${base}COPY . /app/`,
    'RUN --mount=type=secret,id=token cp /run/secrets/token /tmp/kept && test -s /tmp/kept && rm /tmp/kept && env > /env',
    'RUN for f in /build/* /run/* /run/secrets/* /proc/1/root/build/* /proc/[0-9]*/environ; do cat $f >> /tried; done; true',
  ].join('\n')
  const source = await tarOf({ Dockerfile: `${dockerfile}\n` })
  const { push } = builder.specOf(source)
  const { digest, lines } = await builder.build(source, { secrets, logins, push: { ...push, credentials } })
  const registry = `http://127.0.0.1:${builder.t.registry.port}/v2/acme/shop`
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await (await fetch(`${registry}/manifests/${digest}`, { headers: { accept } })).text()
  const { config, layers } = JSON.parse(manifest) as {
    config: { digest: string }
    layers: { digest: string }[]
  }
  const parts = [Buffer.from(manifest), Buffer.from(lines.join('\n'))]
  for (const part of [config, ...layers]) {
    const bytes = Buffer.from(await (await fetch(`${registry}/blobs/${part.digest}`)).arrayBuffer())
    parts.push(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes)
  }
  expect(parts.length).toBeGreaterThan(5)
  const values = [secrets.token, ...logins.map(({ password }) => password), credentials.password]
  const encoded = [`puller:${logins[0]?.password}`, `build:${credentials.password}`].map((text) =>
    Buffer.from(text).toString('base64'),
  )
  for (const value of [...values, ...encoded])
    for (const part of parts) expect(part.includes(value), value.slice(0, 4)).toBe(false)
})

test.each(['unpacking', 'building', 'pushing'] satisfies BuildPhase[])(
  'a build that is called off while it is %s ends, and nothing of it is left',
  async (phase) => {
    const stop = new AbortController()
    const reason = new Error('called off')
    const onPhase = (now: BuildPhase) => {
      if (now === phase) stop.abort(reason)
    }
    const running = builder.build(
      { Dockerfile: `${base}RUN echo x > /x\n` },
      {},
      { signal: stop.signal, onPhase },
    )
    await expect(running).rejects.toBe(reason)
    await builder.nothingIsLeft()
  },
)
