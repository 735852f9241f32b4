import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { root } from '../../cli/processes.ts'
import { readReport, type TestRun } from '../../cli/vitest.ts'

const vitest = join(root, 'node_modules/vitest')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-vitest-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** What the real Vitest says of a file with this text. */
function runOf(text: string): TestRun {
  const imports = `import { beforeAll, expect, test } from '${vitest}/dist/index.js'\n`
  writeFileSync(join(folder, 'some.test.ts'), imports + text)
  const report = join(folder, 'report.json')
  const { status } = spawnSync(
    process.execPath,
    [join(vitest, 'vitest.mjs'), 'run', '--root', folder, '--reporter=json', `--outputFile=${report}`],
    { timeout: 60_000, env: { ...process.env, VITEST: undefined, VITEST_WORKER_ID: undefined } },
  )
  return readReport(JSON.parse(readFileSync(report, 'utf8')), status ?? 1)
}

const told = ({ passed, failed }: TestRun) => ({
  passed,
  failed: failed.map(({ name, reason }) => [name, reason]),
})

test('a test that fails is told by its name, with the first line of what it says', () => {
  const run = runOf(`
    test('holds', () => expect(1).toBe(1))
    test('does not', () => expect(1).toBe(2))`)
  expect(told(run)).toEqual({
    passed: 1,
    failed: [['does not', 'AssertionError: expected 1 to be 2 // Object.is equality']],
  })
  expect(run.failed[0]?.file).toMatch(/some\.test\.ts$/)
})

test('a file that can’t be read is a failure, though it has no test', () => {
  expect(told(runOf('throw new Error("no tests today")'))).toEqual({
    passed: 0,
    failed: [['the file itself', 'no tests today']],
  })
})

test('an error outside of the tests is a failure, though each test passed', () => {
  const run = runOf(`
    test('holds', async () => {
      Promise.reject(new Error('nobody waits for this'))
      await new Promise((resolve) => setTimeout(resolve, 50))
    })`)
  expect(told(run)).toEqual({
    passed: 1,
    failed: [['the run itself', 'it ended with 1, though no test failed']],
  })
})
