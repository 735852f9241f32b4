/** What may be done with a container that runs. */
import { expect, test } from 'vitest'
import { until } from '../../support/until.ts'
import type { Stand } from './stand.ts'

export function describeLife(stand: Stand): void {
  const { engine } = stand

  test('what runs is measured, held still, limited, renamed, restarted and killed', async () => {
    const script = 'trap "echo hup" HUP; echo up; while :; do sleep 0.05; done'
    await engine('run', '-d', '--name', 'busy', '-m', '64m', stand.image, 'sh', '-c', script)
    const [stats] = JSON.parse((await engine('stats', '--no-stream', '--json', 'busy')).out)
    expect(stats).toMatchObject({ id: 'busy', limits: { memoryBytes: 64 * 2 ** 20 } })
    expect(stats.cpuPercent).toBeGreaterThan(0)
    expect((await engine('stats', '--no-stream')).out).toMatch(/^busy +[\d.]+% +[\d.]+ [kM]B \/ 67.1 MB /m)
    expect((await engine('stats', '--no-stream', 'nobody')).code).toBe(1)
    expect((await engine('top', 'busy')).out).toMatch(/^UID .*\n0 +1 +\d+ .* sh -c trap/)
    expect((await engine('pause', 'busy')).out).toBe('busy\n')
    expect((await engine('ps')).out).toMatch(/^busy .* Paused /m)
    expect((await engine('unpause', 'busy')).out).toBe('busy\n')
    expect(await engine('update', '-m', '96m', '--pids-limit', '20', 'busy')).toMatchObject({ code: 0 })
    const [inspected] = JSON.parse((await engine('inspect', 'busy')).out)
    expect(inspected.spec.limits).toMatchObject({ memoryBytes: 96 * 2 ** 20, pids: 20 })
    expect(await engine('rename', 'busy', 'idle')).toMatchObject({ code: 0, out: '' })
    expect(await engine('kill', '-s', 'HUP', 'idle')).toMatchObject({ code: 0, out: 'idle\n' })
    await until('it had the signal', async () => (await engine('logs', 'idle')).out.includes('hup'))
    expect(await engine('restart', '-t', '0', 'idle')).toMatchObject({ code: 0 })
    await until('it runs anew', async () => (await engine('logs', 'idle')).out.match(/up\n/g)?.length === 3)
    expect(await engine('kill', 'idle')).toMatchObject({ code: 0 })
    expect((await engine('ps', '-a')).out).toMatch(/^idle .* Exited \(137\)/m)
    await engine('rm', 'idle')
  })
}
