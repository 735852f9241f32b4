/** What every implementation of volumes keeps to. A new one is a test file that passes an engine that has it. */
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { idRange, outputOf, type TestEngine } from '../../support/engine.ts'

/** @param given called within tests; the engine is its caller's to close. */
export function conformsToVolumes(given: () => Pick<TestEngine, 'engine' | 'spec'>): void {
  const engine = () => given().engine
  const sh = (script: string) => ['/bin/sh', '-c', script]
  const mib = 2 ** 20

  async function run(changes: Parameters<TestEngine['spec']>[0]) {
    const spec = given().spec(changes)
    await engine().containers.create(spec)
    return engine().containers.start(spec.id)
  }

  async function inside(script: string, changes: Parameters<TestEngine['spec']>[0]) {
    const { id } = await run({ ...changes, command: sh(script) })
    const lines = await outputOf(engine(), id)
    await engine().containers.remove(id)
    return lines
  }

  const at = (volume: string, readOnly = false) => [
    { kind: 'volume' as const, volume, target: '/data', readOnly },
  ]
  test('a volume outlives containers, can be shared, and is refused to be removed while one has it', async () => {
    const volume = await engine().volumes.create({ name: 'shared', idRange, labels: { team: 'a' } })
    expect(volume).toMatchObject({ limitedBy: 'none', sizeBytes: null, usedBy: [] })
    expect(await inside('echo kept > /data/x; stat -c %u /data', { mounts: at('shared') })).toEqual(['0'])
    expect(
      await inside('cat /data/x; touch /data/y 2>/dev/null || echo locked', { mounts: at('shared', true) }),
    ).toEqual(['kept', 'locked'])
    const one = await run({ mounts: at('shared') })
    const other = await run({ mounts: at('shared') })
    const wrote = await engine().containers.exec(one.id, { command: sh('echo hi > /data/x') })
    await wrote.exited
    const read = await engine().containers.exec(other.id, { command: ['cat', '/data/x'] })
    expect(await text(read.output)).toBe('hi\n')
    expect((await engine().volumes.inspect('shared')).usedBy).toEqual([one.id, other.id].sort())
    await expect(engine().volumes.remove('shared')).rejects.toMatchObject({ kind: 'failed-precondition' })
    for (const { id } of [one, other]) await engine().containers.remove(id, { force: true })
    expect((await engine().volumes.usage('shared')).usedBytes).toBeGreaterThan(0)
    expect(await engine().volumes.list({ labels: { team: 'a' } })).toHaveLength(1)
    expect(await engine().volumes.list({ labels: { team: 'b' } })).toEqual([])
    await engine().volumes.remove('shared')
    await engine().volumes.remove('shared')
    await expect(engine().volumes.inspect('shared')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('only containers of its own id range can mount it', async () => {
    await engine().volumes.create({ name: 'ours', idRange })
    const theirs = { base: 3_000_000, size: 65_536 }
    await expect(
      engine().containers.create(given().spec({ idRange: theirs, mounts: at('ours') })),
    ).rejects.toMatchObject({ kind: 'failed-precondition' })
    await expect(engine().containers.create(given().spec({ mounts: at('nobodys') }))).rejects.toMatchObject({
      kind: 'not-found',
    })
    await expect(engine().volumes.create({ name: 'ours', idRange: theirs })).rejects.toMatchObject({
      kind: 'already-exists',
    })
    expect(await engine().volumes.create({ name: 'ours', idRange })).toMatchObject({ name: 'ours' })
    for (const name of ['../x', '', 'A'])
      await expect(engine().volumes.create({ name, idRange })).rejects.toMatchObject({ kind: 'invalid' })
    await engine().volumes.remove('ours')
  })

  test('what it holds outgrows a size by no byte, and is counted', async () => {
    const { limitedBy, sizeBytes } = await engine().volumes.create({
      name: 'sized',
      idRange,
      sizeBytes: 32 * mib,
    })
    expect([limitedBy === 'none', sizeBytes]).toEqual([false, 32 * mib])
    const fill = 'dd if=/dev/zero of=/data/x bs=1M count=64 2>/dev/null; echo $?; stat -c %s /data/x'
    const [code, size] = await inside(fill, { mounts: at('sized') })
    expect(code).toBe('1')
    expect(Number(size)).toBeGreaterThan(16 * mib)
    expect(Number(size)).toBeLessThan(32 * mib)
    expect((await engine().volumes.usage('sized')).usedBytes).toBeGreaterThanOrEqual(Number(size))
    await expect(
      engine().volumes.create({ name: 'sized', idRange, sizeBytes: 64 * mib }),
    ).rejects.toMatchObject({
      kind: 'already-exists',
    })
    await engine().volumes.remove('sized')
    await expect(engine().volumes.usage('sized')).rejects.toMatchObject({ kind: 'not-found' })
  })

  test('as many files as its size has room for are all that it may have', async () => {
    await engine().volumes.create({ name: 'files', idRange, sizeBytes: 16 * mib })
    const many = 'i=0; while echo -n > /data/$i; do i=$((i+1)); done 2>/dev/null; echo $i'
    const [count] = await inside(many, { mounts: at('files') })
    expect(Number(count)).toBeGreaterThan(1_000)
    expect(Number(count)).toBeLessThanOrEqual(4_096)
    await engine().volumes.remove('files')
  })
}
