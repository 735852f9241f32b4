import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const rooms = ['app', 'bench', 'cli', 'engine', 'platform', 'worker']

interface Report {
  modules: { source: string }[]
  summary: { violations: { rule: { name: string }; from: string; to: string }[] }
}

let report: Report

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['node_modules/dependency-cruiser/bin/dependency-cruise.mjs', '--output-type', 'json', ...rooms],
    { cwd: root, maxBuffer: 256 * 2 ** 20 },
  ).catch((failed: { stdout?: string; stderr?: string }) => {
    // The exit code is the number of violations; the report is there all the same.
    if (failed.stdout?.startsWith('{')) return { stdout: failed.stdout }
    throw new Error(`dependency-cruiser did not run: ${failed.stderr ?? failed}`)
  })
  report = JSON.parse(stdout)
})

test('every import follows the dependency rule', () => {
  expect(report.summary.violations.map((v) => `${v.rule.name}: ${v.from} → ${v.to}`)).toEqual([])
})

test.each(rooms)('the rule looked at the files of %s/', async (room) => {
  const files = (await readdir(join(root, room), { recursive: true })).filter((file) => /\.tsx?$/.test(file))
  const own = files.filter((file) => !file.startsWith('generated/'))
  const seen = new Set(report.modules.map((module) => module.source))
  expect(own.length).toBeGreaterThan(5)
  expect(own.map((file) => `${room}/${file}`).filter((file) => !seen.has(file))).toEqual([])
})

test('the environment is read in platform/config.ts and at the doors only', async () => {
  const allowed = /^platform\/config\.ts$|^cli\/|^bench\/parts\/|^app\/_server\/auth\.ts$|^engine\/sys\//
  const readers: string[] = []
  for (const room of rooms)
    for (const file of await readdir(join(root, room), { recursive: true })) {
      const path = `${room}/${file}`
      if (!/\.tsx?$/.test(file) || path.startsWith('platform/generated/') || allowed.test(path)) continue
      if (/\bprocess\.env\b/.test(await readFile(join(root, path), 'utf8'))) readers.push(path)
    }
  expect(readers).toEqual([])
})
