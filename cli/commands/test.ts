/** `berth test`: everything that says whether this checkout is good, each stage with its time, and one last line. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildWeb, generateClient } from '../prepare/build.ts'
import { ensurePackages, platformPackages, testPackages } from '../prepare/packages.ts'
import { root } from '../processes.ts'
import { CommandError, say } from '../say.ts'

interface Count {
  passed: number
  failed: number
}

const bin = (path: string) => [process.execPath, join(root, 'node_modules', path)]

export async function test(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new CommandError(
      'The tests mount, make networks and start containers, which only root may: sudo ./berth test',
    )
  await ensurePackages([...platformPackages, ...testPackages])
  await generateClient()
  const counts: Count[] = []
  counts.push(await one('format and lint', [join(root, 'node_modules/.bin/biome'), 'check', '.']))
  await show('types of the routes', [...bin('next/dist/bin/next'), 'typegen'])
  counts.push(await one('types', [...bin('typescript/bin/tsc'), '--noEmit']))
  counts.push(await vitest('unit and integration tests', 'main'))
  await buildWeb()
  counts.push(await vitest('command line, API and browser tests', 'e2e'))
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  say('')
  say(`${passed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

async function one(what: string, argv: string[]): Promise<Count> {
  return (await show(what, argv)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** Vitest says to a file how many there were; if it does not, something went so wrong that it counts as a failure. */
async function vitest(what: string, project: string): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-report-'))
  const report = join(folder, 'report.json')
  try {
    const code = await show(what, [
      ...bin('vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ])
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<
      string,
      number
    >
    const passed = numPassedTests ?? 0
    const failed = numFailedTests ?? 0
    return { passed, failed: code === 0 ? failed : Math.max(1, failed) }
  } catch {
    return { passed: 0, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function show(what: string, argv: string[]): Promise<number> {
  const startMs = Date.now()
  say(`\n── ${what}`)
  const [file = '', ...args] = argv
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    child.once('error', (error) => {
      say(error.message)
      resolve(1)
    })
    child.once('close', (code) => {
      say(
        `── ${what}: ${code === 0 ? 'good' : 'NOT good'} after ${((Date.now() - startMs) / 1_000).toFixed(0)} s`,
      )
      resolve(code ?? 1)
    })
  })
}
