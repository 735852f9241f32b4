/**
 * What every builder promises (engine/builder/builder.ts), with a real registry. A new one is a test file that passes how
 * it is reached. That it is no way into this host is for each to show in its own manner.
 */
import { Readable } from 'node:stream'
import { crc32, gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import type { BuildLine, BuildPhase, BuildSpec, SourceFiles } from '../../../engine/index.ts'
import { type TestBuilder, tarOf } from '../../support/builder.ts'
import { until } from '../../support/until.ts'

export type BuilderStand = Pick<
  TestBuilder,
  'builder' | 'host' | 'registryUrl' | 'said' | 'specOf' | 'build' | 'base' | 'nothingIsLeft'
>

/** @param given called within tests; what it answers with is its caller's to close. */
export function conformsToBuilder(given: () => BuilderStand): void {
  /** The first line of a Dockerfile: an image with a shell. */
  let from: string
  beforeAll(async () => {
    from = await given().base('base:1', { files: { 'etc/base': 'base' } })
  })
  const build: TestBuilder['build'] = (...args) => given().build(...args)

  /** A document or blob of the repository that builds are pushed to. */
  async function stored(path: string): Promise<Buffer> {
    const accept = 'application/vnd.oci.image.manifest.v1+json'
    const answer = await fetch(`${given().registryUrl}/v2/acme/shop/${path}`, { headers: { accept } })
    expect(answer.status, path).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }
  const manifestOf = async (reference: string) =>
    JSON.parse((await stored(`manifests/${reference}`)).toString())

  test('a Dockerfile becomes an image in the registry, and a second build of it the same image out of the cache', async () => {
    const files = {
      Dockerfile: `${from}ARG WHO\nCOPY . /app/\nRUN echo "hello $WHO" > /greeting && cat /greeting && ls -A /app\n`,
      'page.html': 'page',
      '.dockerignore': 'left-out\n',
      'left-out': 'x',
    }
    const changes = { args: { WHO: 'you' }, cache: 'same', labels: { 'org.example.built': 'here' } }
    const first = await build(files, changes)
    expect(first.lines).toEqual(expect.arrayContaining(['hello you', 'page.html']))
    expect(first.lines).not.toContain('left-out')
    expect(first.hadCache).toBe(false)
    const manifest = await manifestOf(first.digest)
    expect(await manifestOf(first.spec.id)).toEqual(manifest)
    const config = JSON.parse((await stored(`blobs/${manifest.config.digest}`)).toString())
    expect(config.config.Labels).toMatchObject(changes.labels)
    const second = await build(files, changes)
    expect(second).toMatchObject({ digest: first.digest, hadCache: true })
    expect(second.lines).not.toContain('hello you')
    const changed = await build({ ...files, 'page.html': 'other' }, changes)
    expect(changed.digest).not.toBe(first.digest)
  })

  test('a folder of the source, another Dockerfile, one stage of several; Containerfile where there is no Dockerfile', async () => {
    const files = {
      'web/build.file': `${from.trim()} AS one\nRUN echo one > /which\n${from.trim()} AS two\nCOPY --from=one /which /which\nRUN cat /which\n${from}RUN false\n`,
      'web/Containerfile': `${from}RUN echo of the Containerfile\n`,
    }
    const { lines } = await build(files, { folder: 'web', dockerfile: 'build.file', target: 'two' })
    expect(lines).toContain('one')
    expect((await build(files, { folder: 'web' })).lines).toContain('of the Containerfile')
  })

  test('its phases are told in order, and its lines with the stream that they came on', async () => {
    const phases: BuildPhase[] = []
    const told: BuildLine[] = []
    const onLine = (line: BuildLine) => told.push(line)
    const onPhase = (phase: BuildPhase) => phases.push(phase)
    await build({ Dockerfile: `${from}RUN echo for all; echo oh dear >&2\n` }, {}, { onLine, onPhase })
    expect(phases).toEqual(['unpacking', 'building', 'pushing'])
    expect(told).toEqual(
      expect.arrayContaining([
        { stream: 'stdout', text: 'for all' },
        { stream: 'stderr', text: 'oh dear' },
      ]),
    )
  })

  test('a Dockerfile is generated where the source has none and none is named, of the files that are built', async () => {
    const files = { 'web/main.txt': 'made of this', 'web/--help': 'a name', above: 'x', 'web/secret': 'x' }
    let seen: SourceFiles | null = null
    const generate = async (source: SourceFiles) => {
      seen = source
      const text = await source.read('main.txt')
      expect(await source.read('--help')).toBe('a name')
      expect(await source.read('none')).toBeNull()
      return { dockerfile: `${from}COPY . /app\nRUN echo ${text} && ls /app\n`, ignore: 'secret\n' }
    }
    const made = await build(files, { folder: 'web', generate })
    expect(made.lines).toEqual(expect.arrayContaining(['made of this', 'main.txt']))
    expect(made.lines).not.toContain('secret')
    expect([...((seen as SourceFiles | null) ?? { files: [] }).files].sort()).toEqual([
      '--help',
      'main.txt',
      'secret',
    ])
    const own = await build({ ...files, 'web/.dockerignore': 'main.txt\n' }, { folder: 'web', generate })
    expect(own.lines).toContain('secret')
    seen = null
    await build({ ...files, 'web/Dockerfile': `${from}RUN true\n` }, { folder: 'web', generate })
    const named = build(files, { folder: 'web', generate, dockerfile: 'Other' })
    await expect(named).rejects.toMatchObject({ reason: 'dockerfile-missing' })
    expect(seen).toBeNull()
    const notUnderstood = new Error('nobody understands this')
    const refused = build(files, { generate: () => Promise.reject(notUnderstood) })
    await expect(refused).rejects.toBe(notUnderstood)
  })

  test('a base image comes from the mirror of its registry, which answers nobody itself', async () => {
    const registries = [{ host: 'elsewhere.invalid', mirrors: [{ url: `http://${given().host}` }] }]
    const Dockerfile = 'FROM elsewhere.invalid/base:1\nRUN cat /etc/base && echo\n'
    expect((await build({ Dockerfile }, { registries })).lines).toContain('base')
  })

  test('a secret is there for its step, and in no layer, configuration or line; passwords are for no step', async () => {
    const value = 'kq8Xw2Lz-do-not-tell'
    const password = 'pushed-with-9Zt4'
    const Dockerfile = [
      from.trim(),
      'RUN --mount=type=secret,id=token busybox wc -c < /run/secrets/token; grep -c 2Lz-do-not /run/secrets/token',
      'RUN env; for f in $(grep -rls with-9Zt4 /etc /run /root /tmp /build /var); do cat $f; done',
      '',
    ].join('\n')
    const push = { ...given().specOf(Buffer.alloc(0)).push, credentials: { username: 'ada', password } }
    const { digest, lines } = await build({ Dockerfile }, { secrets: { token: value }, push })
    expect(lines).toEqual(expect.arrayContaining([String(value.length), '1']))
    const manifest = await manifestOf(digest)
    const parts = [manifest.config, ...manifest.layers].map((part: { digest: string }) => part.digest)
    expect(parts.length).toBeGreaterThan(2)
    for (const part of parts) {
      const bytes = await stored(`blobs/${part}`)
      const content = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes
      expect(content.length).toBeGreaterThan(100)
      for (const hidden of [value, password]) expect(content.includes(hidden)).toBe(false)
    }
    expect(lines.join('\n')).not.toContain(value)
    expect(lines.join('\n')).not.toContain(password)
  })

  test.each([
    ['tar.gz', gzipSync],
    ['zip', zipOf],
  ] as const)('a source may come as %s', async (format, pack) => {
    const Dockerfile = `${from}RUN echo it came\n`
    const source = pack(format === 'zip' ? Buffer.from(Dockerfile) : await tarOf({ Dockerfile }))
    const { lines } = await build(source, { source: { open: () => Readable.from([source]), format } })
    expect(lines).toContain('it came')
  })

  test.each([
    ['no archive', Buffer.from('nonsense'.repeat(200)), 'source-invalid'],
    ['no Dockerfile', null, 'dockerfile-missing'],
  ])('%s ends with its own reason', async (_what, source, reason) => {
    await expect(build(source ?? { 'other.txt': 'x' })).rejects.toMatchObject({ reason })
  })

  test.each([
    ['a step that fails', 'RUN echo the reason && exit 7', 'failed'],
    ['a base image that is not there', 'FROM HOST/nothing:1', 'base-image'],
    ['a stage that is not there', 'COPY --from=nowhere /a /b', 'failed'],
    ['an instruction that is none', 'NONSENSE', 'failed'],
  ])('%s ends with its own reason', async (_what, line, reason) => {
    const dockerfile = `${line.startsWith('FROM') ? '' : from}${line.replace('HOST', given().host)}\n`
    const failure = await build({ Dockerfile: dockerfile }).catch((error) => error)
    expect(failure, given().said().join('\n')).toMatchObject({ reason })
    if (line.startsWith('RUN')) expect(given().said()).toContain('the reason')
  })

  test('a source that can’t be read ends the build with its own error', async () => {
    const gone = new Error('the upload is gone')
    const open = () =>
      new Readable({
        read() {
          this.destroy(gone)
        },
      })
    await expect(build({}, { source: { open, format: 'tar' } })).rejects.toBe(gone)
    await given().nothingIsLeft()
  })

  test.each([
    ['a fork bomb', 'f() { f | f & }; f; sleep 100', ['too-many-processes', 'timeout', 'failed']],
    // These two would end by themselves, with a little more than the limit.
    [
      'a step of too many processes',
      'i=0; while [ $i -lt 400 ]; do sleep 30 >/dev/null 2>&1 & i=$((i + 1)); done; echo all run',
      ['too-many-processes'],
    ],
    ['a step of too much memory', "a=$(head -c 300000000 /dev/zero | tr '\\0' x)", ['out-of-memory']],
    ['a memory bomb', 'a=x; while true; do a=$a$a; done', ['out-of-memory']],
    ['a full disk', 'dd if=/dev/zero of=/big bs=1M count=4000', ['disk-full']],
    ['an endless step', 'sleep 1000', ['timeout']],
  ])('%s is ended by its own limit, and nothing of it is left', async (_what, command, reasons) => {
    const limits = { ...given().specOf(Buffer.alloc(0)).limits, timeMs: 15_000 }
    const began = Date.now()
    const failure = await build({ Dockerfile: `${from}RUN ${command}\n` }, { limits }).catch((error) => error)
    expect(reasons, `${failure} ${given().said().slice(-5).join('\n')}`).toContain(failure.reason)
    expect(Date.now() - began).toBeLessThan(30_000)
    await given().nothingIsLeft()
  })

  test('a build that is called off ends within two seconds, and nothing of it is left', async () => {
    const stop = new AbortController()
    const reason = new Error('called off')
    let endedAt = 0
    const files = { Dockerfile: `${from}RUN echo begun && sleep 1000\n` }
    const running = build(files, {}, { signal: stop.signal }).finally(() => {
      endedAt = Date.now()
    })
    const settled = expect(running).rejects.toBe(reason)
    await until('its step runs', () => given().said().includes('begun'))
    const asked = Date.now()
    stop.abort(reason)
    await settled
    expect(endedAt - asked).toBeLessThan(2_000)
    await given().nothingIsLeft()
  })

  test('what was called off before it began, or makes no sense, does not ask for its source', async () => {
    const reason = new Error('called off')
    const source: BuildSpec['source'] = {
      format: 'tar',
      open: () => {
        throw new Error('it was asked for')
      },
    }
    const early = build(Buffer.alloc(0), { source }, { signal: AbortSignal.abort(reason) })
    await expect(early).rejects.toBe(reason)
    const wrong: Partial<BuildSpec>[] = [
      ...['../../../etc/passwd', '/etc/passwd', '--help', 'a\0b', ''].map((dockerfile) => ({ dockerfile })),
      ...['..', '/', 'a/../..'].map((folder) => ({ folder })),
      ...['Big', '-x', 'a/b', ''].map((id) => ({ id })),
      ...['../x', '-x', ''].map((cache) => ({ cache })),
      { target: '--no-cache' },
      { args: { 'a b': 'c' } },
      { secrets: { 'x,src=/etc/shadow': 'y' } },
    ]
    for (const changes of wrong)
      await expect(
        build(Buffer.alloc(0), { source, ...changes }),
        JSON.stringify(changes),
      ).rejects.toMatchObject({
        kind: 'invalid',
      })
  })

  test('what a cache holds, layers and folders, is there for its next build, and for none with another', async () => {
    const files = (say: string) => ({
      Dockerfile: `${from}RUN --mount=type=cache,target=/kept ls /kept; touch /kept/of-mine; echo ${say}\n`,
    })
    const first = await build(files('first'), { cache: 'mine' })
    const other = await build(files('first'), { cache: 'theirs' })
    expect([first.hadCache, other.hadCache]).toEqual([false, false])
    expect(other.lines).toContain('first')
    expect(other.lines).not.toContain('of-mine')
    const again = await build(files('again'), { cache: 'mine' })
    expect(again.hadCache).toBe(true)
    expect(again.lines).toContain('of-mine')
  })

  test('what a build leaves in its shared cache spares a host that has no cache of it the same steps', async () => {
    const repository = 'acme/shop/build-cache'
    const sharedCache = { repository: `${given().host}/${repository}` }
    const files = (word: string) => ({
      Dockerfile: `${from}RUN echo made anew && echo made >/made\nCOPY word /word\nRUN cat /word\n`,
      word: `${word}\n`,
    })
    const here = await build(files('one'), { cache: 'here', sharedCache })
    expect(here.lines).toEqual(expect.arrayContaining(['made anew', 'one']))
    await until('its layers are there', async () => {
      const answer = await fetch(`${given().registryUrl}/v2/${repository}/tags/list`)
      return answer.ok && ((await answer.json()) as { tags: string[] }).tags.length === 3
    })
    const there = await build(files('other'), { cache: 'there', sharedCache })
    expect(there.hadCache).toBe(false)
    expect(there.lines).toContain('other')
    expect(there.lines).not.toContain('made anew')
    expect((await build(files('other'), { cache: 'alone' })).lines).toContain('made anew')
  })

  test('builds with one cache take turns, and a cache is forgotten once nobody is at it', async () => {
    const files = (step: string) => ({ Dockerfile: `${from}RUN ${step}\n` })
    const order: string[] = []
    const taking = (name: string) =>
      build(
        files(`echo ${name} && sleep 1`),
        { cache: 'turns' },
        {
          onPhase: (phase) => order.push(`${name} ${phase}`),
        },
      ).finally(() => order.push(`${name} done`))
    const [one, other] = await Promise.all([taking('one'), taking('other')])
    const phases = (name: string) =>
      ['unpacking', 'building', 'pushing', 'done'].map((each) => `${name} ${each}`)
    expect(order).toEqual([...phases('one'), ...phases('other')])
    expect([one.hadCache, other.hadCache]).toEqual([false, true])
    const third = taking('third')
    await until('it is under way', () => order.includes('third unpacking'))
    await Promise.all([
      third,
      given()
        .builder.dropCache('turns')
        .then(() => order.push('dropped')),
    ])
    expect(order.slice(-2)).toEqual(['third done', 'dropped'])
    await given().builder.dropCache('turns')
    await given().builder.dropCache('never-there')
    expect((await taking('one')).hadCache).toBe(false)
  })

  test('where earlier builds left too little room it begins anew, with the whole disk and its source once more', async () => {
    let opened = 0
    // While it is made a layer takes three times its size.
    const filling = async (mebibytes: number) => {
      const step = `RUN dd if=/dev/zero of=/of-${mebibytes} bs=1M count=${mebibytes}\n`
      const bytes = await tarOf({ Dockerfile: from + step })
      const open = () => {
        opened++
        return Readable.from([bytes])
      }
      return build(bytes, { cache: 'filled', source: { open, format: 'tar' } })
    }
    await filling(50)
    expect(opened).toBe(1)
    expect(await filling(51)).toMatchObject({ hadCache: false })
    expect(opened).toBe(3)
  })
}

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
