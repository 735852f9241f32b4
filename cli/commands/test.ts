/** `berth test`: everything that says whether this checkout is good, each stage with its time, and one last line. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildWeb, generateClient } from '../prepare/build.ts'
import { ensurePackages, platformPackages, testPackages } from '../prepare/packages.ts'
import { root } from '../processes.ts'
import { CommandError, say } from '../say.ts'
import { type FailedTest, runVitest } from '../vitest.ts'

interface Count {
  passed: number
  failed: number
  /** What the end of the output says of them. */
  words: string[]
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
  for (const { words } of counts) for (const line of words) say(line)
  say(`${passed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

async function one(what: string, argv: string[]): Promise<Count> {
  return (await show(what, argv)) === 0
    ? { passed: 1, failed: 0, words: [] }
    : { passed: 0, failed: 1, words: [`failed: ${what}`] }
}

/** More files than these are not run again: something is broken then. */
const runAgain = 5

/**
 * The tests of a project. Files with a failure are run once more by themselves: these tests start real servers beside
 * each other on whatever machine there is. What passes then counts, and its name is said at the end, to be mended.
 */
async function vitest(what: string, project: string): Promise<Count> {
  const first = await runVitest(project, (argv) => show(what, argv))
  const files = [...new Set(first.failed.map(({ file }) => file))]
  if (files.length === 0 || files.length > runAgain || files.includes(''))
    return { passed: first.passed, failed: first.failed.length, words: wordsOf('failed', first.failed) }
  const second = await runVitest(project, (argv) => show(`${what}, once more`, argv), files)
  const still = new Set(second.failed.map(nameOf))
  const ran = second.failed.every(({ file }) => file !== '')
  const unsteady = ran ? first.failed.filter((test) => !still.has(nameOf(test))) : []
  return {
    passed: first.passed + unsteady.length,
    failed: second.failed.length,
    words: [...wordsOf('failed', second.failed), ...wordsOf('passed only when run again', unsteady)],
  }
}

const nameOf = ({ file, name }: FailedTest) => `${file} › ${name}`
const wordsOf = (what: string, tests: FailedTest[]) =>
  tests.map((test) => `${what}: ${nameOf(test)}\n    ${test.reason}`)

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
