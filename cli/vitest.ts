/** One run of Vitest, and what it said: how many tests passed, and the names of those that did not. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from './processes.ts'

export interface FailedTest {
  /** From the root of the checkout. */
  file: string
  name: string
  /** The first line of what it said. */
  reason: string
}

export interface TestRun {
  passed: number
  failed: FailedTest[]
}

/** What is read of Vitest's JSON report. */
interface Report {
  numPassedTests: number
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: { fullName: string; status: string; failureMessages?: string[] }[]
  }[]
}

/**
 * Runs the tests of a project, or only those of some files, one file after another then.
 * `run` starts the command with its arguments and gives its exit code.
 */
export async function runVitest(
  project: string,
  run: (argv: string[]) => Promise<number>,
  files: string[] = [],
): Promise<TestRun> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-report-'))
  const report = join(folder, 'report.json')
  try {
    const code = await run([
      process.execPath,
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--project',
      project,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...(files.length > 0 ? ['--no-file-parallelism', ...files] : []),
    ])
    return readReport(JSON.parse(readFileSync(report, 'utf8')), code)
  } catch (error) {
    return {
      passed: 0,
      failed: [{ file: '', name: 'the run itself', reason: `it left no report: ${error}` }],
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run that ended badly although no test failed counts as a failure, too: an error outside of the tests did it. */
export function readReport(report: Report, code: number): TestRun {
  const failed = report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const tests = assertionResults
      .filter((test) => test.status === 'failed')
      .map((test) => ({ file, name: test.fullName, reason: firstLine(test.failureMessages?.[0]) }))
    if (tests.length === 0 && status === 'failed')
      return [{ file, name: 'the file itself', reason: firstLine(message) }]
    return tests
  })
  if (failed.length === 0 && code !== 0)
    failed.push({ file: '', name: 'the run itself', reason: `it ended with ${code}, though no test failed` })
  return { passed: report.numPassedTests, failed }
}

const firstLine = (text = '') => text.trim().split('\n', 1)[0] ?? ''
