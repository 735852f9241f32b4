import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { afterEach, expect, test } from 'vitest'
import { freezeCgroup, isFrozen } from '../../../engine/sys/cgroup-control.ts'
import { cgroupFolders, enterCgroup, removeCgroup } from '../../../engine/sys/cgroups.ts'

const group = `/berth-test-${process.pid}`
const started: ChildProcess[] = []
afterEach(async () => {
  await removeCgroup(group)
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

async function runIn(path: string): Promise<{ ended: Promise<unknown[]> }> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  started.push(child)
  await once(child, 'spawn')
  enterCgroup(await cgroupFolders(path), child.pid ?? 0)
  return { ended: once(child, 'exit') }
}

test('a group goes with the groups below it and whatever runs in them, also while it is held still', async () => {
  const all = [await runIn(group), await runIn(`${group}/below`), await runIn(`${group}/below/deep`)]
  await freezeCgroup(group, true)
  expect(await isFrozen(group)).toBe(true)
  await removeCgroup(group)
  for (const { ended } of all) expect(await ended).toEqual([null, 'SIGKILL'])
  for (const folder of await cgroupFolders(group)) expect(existsSync(folder), folder).toBe(false)
})
