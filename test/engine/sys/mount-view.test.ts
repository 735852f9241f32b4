/** Processes that are started where little is mounted, and what is lent to them. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type MountView, pointsToKeep } from '../../../engine/sys/mount-view.ts'
import {
  commandLine,
  killProcesses,
  mountPointsOf,
  processStart,
  signalProcess,
} from '../../../engine/sys/processes.ts'
import { endLeftSpawners, type Spawner, startSpawner } from '../../../engine/sys/spawner.ts'
import { until } from '../../support/until.ts'

let folder: string
let source: string
let target: string
let view: MountView
let spawner: Spawner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-view-'))
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder])
  // What is mounted below it later would come to every copy of it.
  execFileSync('mount', ['--make-shared', folder])
  ;[source, target] = [join(folder, 'source'), join(folder, 'target')]
  for (const path of [source, target]) mkdirSync(path)
  mountAt('source')
  writeFileSync(join(source, 'lent'), 'a loan')
  mountAt('foreign')
  view = { folders: [folder], hidden: [] }
  spawner = startSpawner({ tag: folder })
})

afterEach(async () => {
  await spawner.close().catch(() => {})
  await killProcesses((argv) => argv.includes(folder))
  execFileSync('umount', ['--lazy', folder])
  rmSync(folder, { recursive: true })
})

function mountAt(name: string): void {
  mkdirSync(join(folder, name), { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(folder, name)])
}

const sees = (pid: number) => mountPointsOf(pid).map(String)
const below = (pid: number) => sees(pid).filter((point) => point.startsWith(`${folder}/`))

/** Ends the answer with its pid after `script`, and stays. */
function startMonitor(script: string, loans = [{ source, target }]): Promise<number> {
  const stay = `echo "{\\"data\\": $$}" >&3; while :; do sleep 1000; done`
  return spawner.startMonitor(['/bin/sh', '-c', `${script}; ${stay}`, 'sh', folder], {
    ...{ cwd: folder, env: {}, timeoutMs: 30_000, view, loans },
  })
}

test('what is started there sees the file systems that it needs, and nothing that others mount', async () => {
  const pid = await startMonitor('true', [])
  expect(sees(pid)).toEqual(expect.arrayContaining(['/', '/proc', '/sys', '/dev', folder]))
  expect(below(pid)).toEqual([])
  mountAt('later')
  expect(below(pid)).toEqual([])
  expect(below(process.pid)).toEqual([source, join(folder, 'foreign'), join(folder, 'later')])
  expect(await spawner.mustRun(['ls', folder], { view })).toBe('foreign\nlater\nsource\ntarget\n')
  expect(await spawner.mustRun(['ls', source], { view })).toBe('')
  // Others that it starts see what we see.
  expect(await spawner.mustRun(['cat', join(source, 'lent')])).toBe('a loan')
  const info = ['cut', '-d ', '-f5', '/proc/self/mountinfo']
  expect(await spawner.mustRun(info)).toBe(execFileSync('cut', info.slice(1), { encoding: 'utf8' }))
})

test('what is hidden is not there, with what is mounted below it', async () => {
  mountAt('foreign/deep')
  const folders = [source, join(folder, 'foreign', 'deep')]
  view = { folders, hidden: [join(folder, 'foreign')] }
  expect(below(await startMonitor('true', []))).toEqual([source])
})

test('what another mount covers is left away', async () => {
  mountAt('foreign/deep')
  mountAt('foreign')
  view = { folders: [join(folder, 'foreign', 'deep')], hidden: [] }
  const pid = await startMonitor('true', [])
  expect(below(process.pid)).toContain(join(folder, 'foreign', 'deep'))
  expect(below(pid)).toEqual([join(folder, 'foreign')])
})

test('a loan is there until the monitor has answered, and holds nothing then', async () => {
  const pid = await startMonitor(`cat ${target}/lent >${folder}/read`)
  expect(readFileSync(join(folder, 'read'), 'utf8')).toBe('a loan')
  await until('it is taken back', () => below(pid).length === 0)
  // Not busy.
  execFileSync('umount', [source])
})

test('a loan is taken back from a monitor that says nothing, or cannot be started', async () => {
  const stays = await startMonitor('true', [])
  const options = { cwd: folder, env: {}, timeoutMs: 30_000, view, loans: [{ source, target }] }
  await expect(spawner.startMonitor(['/bin/false'], options)).rejects.toMatchObject({ kind: 'internal' })
  await expect(spawner.startMonitor([join(folder, 'none')], options)).rejects.toThrow(/ENOENT/)
  await until('it is taken back', () => below(stays).length === 0)
  const bad = [...options.loans, { source, target: join(folder, 'none') }]
  await expect(spawner.startMonitor(['/bin/true'], { ...options, loans: bad })).rejects.toThrow(/move_mount/)
  expect(below(stays)).toEqual([])
  const missing = [...options.loans, { source: join(folder, 'none'), target }]
  await expect(spawner.startMonitor(['/bin/true'], { ...options, loans: missing })).rejects.toThrow(
    /open_tree/,
  )
  expect(below(stays)).toEqual([])
  expect(await spawner.mustRun(['cat', join(source, 'lent')])).toBe('a loan')
})

test('one monitor’s loan does not end another’s', async () => {
  const [go, first] = [join(folder, 'go'), join(folder, 'first')]
  const second = join(folder, 'second')
  mkdirSync(second)
  const waits = startMonitor(
    `touch ${first}; until test -e ${go}; do sleep 0.01; done; cat ${target}/lent >${first}`,
  )
  await until('the first has it', () => below(process.pid) && readFileSync(first, 'utf8') === '')
  await startMonitor(`cat ${second}/lent >${folder}/read`, [{ source, target: second }])
  writeFileSync(go, '')
  await waits
  expect(readFileSync(first, 'utf8')).toBe('a loan')
})

test('what a killed engine lent goes with the folder that it was lent at', async () => {
  const stays = await startMonitor('true', [])
  const waits = startMonitor(`touch ${folder}/begun; sleep 1000`)
  waits.catch(() => {})
  await until('it has begun', () => readFileSync(join(folder, 'begun'), 'utf8') === '')
  // Nor does it grow while it is lent.
  mountAt('source/deep')
  expect(below(stays)).toEqual([target])
  await endLeftSpawners(folder)
  await expect(waits).rejects.toMatchObject({ kind: 'unavailable' })
  expect(below(stays)).toEqual([target])
  rmSync(target, { recursive: true })
  expect(below(stays)).toEqual([])
  expect(readFileSync(join(source, 'lent'), 'utf8')).toBe('a loan')
  // The next one has a place of its own.
  mkdirSync(target)
  const next = await startMonitor(`cat ${target}/lent >${folder}/read`)
  expect(readFileSync(join(folder, 'read'), 'utf8')).toBe('a loan')
  signalProcess(next, processStart(next) ?? '', 'SIGKILL')
  expect(commandLine(stays)).toContain(folder)
})

test('of what is mounted what a folder is on is kept, from the root on', () => {
  const points = [
    '/proc/sys/fs/binfmt_misc',
    '/proc',
    '/',
    '/srv/a',
    '/srv',
    '/dev/pts',
    '/dev',
    '/data',
    '/srv/ab',
    '/usr',
    '/home',
    '/dev/pts',
  ]
  const keep = (...folders: string[]) => pointsToKeep(points, { folders, hidden: [] })
  expect(keep()).toEqual(['/', '/dev', '/usr', '/proc', '/dev/pts'])
  expect(keep('/srv/a/b')).toEqual(['/', '/srv', '/dev', '/usr', '/proc', '/srv/a', '/dev/pts'])
  expect(keep('/srv')).toEqual(['/', '/srv', '/dev', '/usr', '/proc', '/dev/pts'])
  expect(pointsToKeep(points, { folders: [], hidden: ['/dev/pts'] })).not.toContain('/dev/pts')
})
