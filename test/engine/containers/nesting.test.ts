import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputOf, startEngine, type TestEngine } from '../../support/engine.ts'

let engine: TestEngine

beforeAll(async () => {
  engine = await startEngine()
})

afterAll(async () => {
  await engine?.close()
})

async function say(script: string, nesting: boolean): Promise<string[]> {
  const spec = engine.spec({ command: ['/bin/sh', '-c', `${script} 2>&1; echo "ends with $?"`], nesting })
  await engine.engine.containers.create(spec)
  await engine.engine.containers.start(spec.id)
  return outputOf(engine.engine, spec.id)
}

const mount = 'mount -t tmpfs none /tmp && echo x >/tmp/x && cat /tmp/x'

test('a container that may nest mounts inside itself, and others do not', async () => {
  expect(await say(mount, true)).toEqual(['x', 'ends with 0'])
  expect((await say(mount, false)).at(-1)).not.toBe('ends with 0')
  expect(await say('unshare -m true', true)).toEqual(['ends with 0'])
  expect((await say('unshare -m true', false)).at(-1)).not.toBe('ends with 0')
})

test('one that may nest makes no user namespace, no device, and sees nothing more of the host', async () => {
  expect((await say('unshare -U true', true)).at(-1)).not.toBe('ends with 0')
  // It may take away what covers the host's side of /proc and /sys: below it is nobody, and may neither read nor write.
  for (const attempt of [
    'head -c 1 /proc/kcore',
    'echo 1 >/proc/sys/kernel/panic',
    'echo b >/proc/sysrq-trigger',
  ])
    expect((await say(`umount /proc/kcore /proc/sys /proc/sysrq-trigger; ${attempt}`, true)).at(-1)).not.toBe(
      'ends with 0',
    )
  const inspected = (await engine.engine.containers.list())[0]
  const { isolation } = await engine.engine.containers.inspect(inspected?.id ?? '')
  expect(isolation.namespaces).toContain('user')
  expect(isolation.noNewPrivileges).toBe(true)
})

test('what a container may is told as it is', async () => {
  const spec = engine.spec({ nesting: true })
  await engine.engine.containers.create(spec)
  const { isolation } = await engine.engine.containers.inspect(spec.id)
  expect(isolation).toMatchObject({ seccomp: 'nesting' })
  expect(isolation.capabilities).toContain('CAP_SYS_ADMIN')
})
