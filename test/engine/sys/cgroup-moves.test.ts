import { existsSync, readdirSync, readFileSync, readlinkSync, rmdirSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { expectMoves, ownGroup } from '../../../engine/sys/cgroup-moves.ts'
import { enterCgroup } from '../../../engine/sys/cgroups.ts'
import { until } from '../../support/until.ts'

/** What this process has open of control groups. */
function asking(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`)
      return path.endsWith('/cgroup.procs') ? [path] : []
    } catch {
      return []
    }
  })
}

test('while somebody expects a move we ask for one that moves nobody, and nothing stays open afterwards', async () => {
  const before = readFileSync('/proc/self/cgroup', 'utf8')
  const [one, two] = [expectMoves(), expectMoves()]
  await until('it asks', () => asking().length === 1)
  expect(readFileSync(asking()[0] ?? '', 'utf8').split('\n')).toContain(String(process.pid))
  one()
  one()
  expect(asking()).toHaveLength(1)
  two()
  await until('it has ended', () => asking().length === 0)
  const again = expectMoves()
  await until('it asks again', () => asking().length === 1)
  again()
  await until('it has ended again', () => asking().length === 0)
  expect(readFileSync('/proc/self/cgroup', 'utf8')).toBe(before)
})

test('it is asked again and again, and whoever forgets to end it does so within seconds', async () => {
  // In a group where nobody else asks.
  const above = ownGroup(
    readFileSync('/proc/self/cgroup', 'utf8'),
    existsSync('/sys/fs/cgroup/cgroup.controllers'),
  )
  const group = join(above, `moves-${process.pid}`)
  enterCgroup([group], process.pid)
  let asked = 0
  const watcher = watch(join(group, 'cgroup.procs'), () => asked++)
  try {
    expectMoves()
    await until('often', () => asked >= 10, 4_000)
    await until('it has ended by itself', () => asking().length === 0, 10_000)
  } finally {
    watcher.close()
    writeFileSync(join(above, 'cgroup.procs'), String(process.pid))
    rmdirSync(group)
  }
})

test('our own group is that of v2, or that of one hierarchy of v1', () => {
  const hybrid = '5:cpu,cpuacct:/a:b/c\n1:name=systemd:/\n0::/beside\n'
  expect(ownGroup(hybrid, false)).toBe('/sys/fs/cgroup/cpu,cpuacct/a:b/c')
  expect(ownGroup('1:name=systemd:/x\n0::/\n', false)).toBe('/sys/fs/cgroup/systemd/x')
  expect(ownGroup('0::/system.slice/berth.service\n', true)).toBe('/sys/fs/cgroup/system.slice/berth.service')
})
