import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idRange, outputOf, startEngine, type TestEngine } from '../../support/engine.ts'
import { until } from '../../support/until.ts'
import { conformsToContainers } from './conformance.ts'

let host: TestEngine
beforeAll(async () => {
  host = await startEngine()
})
afterAll(() => host.close())

const sh = (script: string) => ['/bin/sh', '-c', script]

async function run(changes: Parameters<TestEngine['spec']>[0]) {
  const spec = host.spec(changes)
  await host.engine.containers.create(spec)
  return host.engine.containers.start(spec.id)
}

/** The groups of a process: path of its group by controller. */
function cgroupFile(pid: number, controller: string, file: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n')
  const v1 = lines.map((line) => line.split(':')).find(([, names]) => names?.split(',').includes(controller))
  const folder = v1
    ? join('/sys/fs/cgroup', controller, v1[2] ?? '')
    : join('/sys/fs/cgroup', lines[0]?.slice(3) ?? '')
  return readFileSync(join(folder, file), 'utf8').trim()
}

conformsToContainers(() => host)

describe('limits and isolation', () => {
  test('limits are in the control groups, and the first process has the host id of the range', async () => {
    const image = await host.pull('user:1', {
      user: 'app',
      command: ['/bin/sleep', '1000'],
      workingDir: '/made/for/it',
    })
    const { id, pid } = await run({ image })
    if (pid === null) throw new Error('no pid')
    const v2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
    expect(cgroupFile(pid, 'memory', v2 ? 'memory.max' : 'memory.limit_in_bytes')).toBe(String(64 * 2 ** 20))
    expect(cgroupFile(pid, 'pids', 'pids.max')).toBe('64')
    expect(cgroupFile(pid, 'cpu', v2 ? 'cpu.max' : 'cpu.cfs_quota_us')).toMatch(/^50000/)
    // Just started it is still the runtime, which lays its privileges down one after another.
    const status = await until('the image’s own program', () => {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8')
      return text.startsWith('Name:\tsleep\n') && text
    })
    expect(status).toMatch(new RegExp(`^Uid:\\s+${idRange.base + 1000}\\s`, 'm'))
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m)
    expect(status).toMatch(/^CapEff:\s+0+$/m)
    expect(status).toMatch(/^Seccomp:\s+2$/m)
    await host.engine.containers.remove(id, { force: true })
  })

  test('new namespaces and mounts are refused inside, even to its root', async () => {
    const { id } = await run({
      command: sh(
        'unshare -U true && echo user; unshare -m true && echo mount-ns; mount -t tmpfs x /tmp && echo mount; ' +
          'cat /proc/kcore | head -c 1; echo x > /proc/sys/kernel/hostname && echo sysctl; echo done',
      ),
    })
    const lines = await outputOf(host.engine, id)
    expect(lines).toContain('done')
    for (const word of ['user', 'mount-ns', 'mount', 'sysctl']) expect(lines).not.toContain(word)
  })

  test('standard input has ended, and the host’s own devices stay the host’s', async () => {
    const { id } = await run({ command: sh('cat; stat -c %u /dev/null; echo x > /dev/null && echo ok') })
    expect(await outputOf(host.engine, id)).toEqual(['65534', 'ok'])
    expect(statSync('/dev/null')).toMatchObject({ uid: 0, gid: 0 })
  })

  test('raw devices stay closed in its control group, also to the host’s own root', async () => {
    const { id } = await run({})
    const { cgroup } = await host.engine.containers.inspect(id)
    const group = ['devices', ''].map((name) => join('/sys/fs/cgroup', name, cgroup)).find(existsSync)
    const folder = mkdtempSync(join(tmpdir(), 'berth-devices-'))
    try {
      const read = 'dd if="$0/log" of=/dev/null bs=8192 count=1 iflag=nonblock 2>/dev/null && echo read'
      const script = `mknod "$0/log" c 1 11; ${read}; echo $$ > "$1/cgroup.procs"
        ${read}; echo x > /dev/null && echo nothing`
      const said = execFileSync('sh', ['-c', script, folder, group ?? ''], { encoding: 'utf8' })
      // Once outside, and then not any more; what all have stays open.
      expect(said).toBe('read\nnothing\n')
    } finally {
      rmSync(folder, { recursive: true })
      await host.engine.containers.remove(id, { force: true })
    }
  })

  test('IPv6 is off inside: nothing has an address, and nothing gets one', async () => {
    const files = '/proc/sys/net/ipv6/conf/all/disable_ipv6 /proc/sys/net/ipv6/conf/default/disable_ipv6'
    const { id } = await run({ command: sh(`cat ${files}; cat /proc/net/if_inet6; echo end`) })
    expect(await outputOf(host.engine, id)).toEqual(['1', '1', 'end'])
  })

  test('a container that outgrows its memory is killed, and says so', async () => {
    const { id } = await run({
      limits: { memoryBytes: 16 * 2 ** 20, cpuMillis: 1000, pids: 16 },
      command: ['/bin/tail', '/dev/zero'],
    })
    const ended = await host.engine.containers.wait(id, { signal: AbortSignal.timeout(60_000) })
    expect(ended).toMatchObject({ exitCode: 137, oomKilled: true })
    // What it held at most is known although its group is gone: all that it might, or hardly less.
    expect(ended.memoryPeakBytes).toBeGreaterThan(15 * 2 ** 20)
    expect(ended.memoryPeakBytes).toBeLessThanOrEqual(16 * 2 ** 20)
  })
})
