/** What is made from the sources: the Prisma client and the web app. Each is made once for a state of its sources. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root, run } from '../processes.ts'
import { say, stage } from '../say.ts'
import { withLock } from '../supervisor/lock.ts'

const stamp = join(root, '.next', 'berth-built-from')
const sources = [
  'app',
  'platform',
  'next.config.ts',
  'proxy.ts',
  'instrumentation.ts',
  'postcss.config.mjs',
  'tsconfig.json',
  'package-lock.json',
  'prisma/schema.prisma',
]

/** SHA-256 over the names and contents of all sources of the web app. */
export function sourcesHash(): string {
  const hash = createHash('sha256')
  const add = (path: string) => {
    hash
      .update(path)
      .update('\0')
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  for (const source of sources) {
    if (!existsSync(join(root, source))) continue
    if (/\.\w+$/.test(source)) add(source)
    else
      for (const entry of readdirSync(join(root, source), { recursive: true, withFileTypes: true }).sort(
        (a, b) => (`${a.parentPath}/${a.name}` < `${b.parentPath}/${b.name}` ? -1 : 1),
      )) {
        const path = join(entry.parentPath, entry.name).slice(root.length + 1)
        if (entry.isFile() && !path.startsWith('platform/generated/')) add(path)
      }
  }
  return hash.digest('hex')
}

export async function generateClient(): Promise<void> {
  await stage('the database client', (note) => run([process.execPath, 'prisma/generate.ts'], { note }))
}

export async function buildWeb(): Promise<void> {
  await withLock(
    `build ${root}`,
    () => say('another berth builds the web app from this checkout: waiting for it'),
    buildAlone,
  )
}

async function buildAlone(): Promise<void> {
  const wanted = sourcesHash()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  rmSync(stamp, { force: true })
  const environment = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1' }
  await stage('building the web app', (note) =>
    run([process.execPath, 'node_modules/next/dist/bin/next', 'build'], { env: environment, note }),
  )
  await compile()
  writeFileSync(stamp, wanted)
}

/** Node keeps what it compiles when it ends in peace: so that the first worker and the first supervisor find it, too. */
async function compile(): Promise<void> {
  const whole = ['worker/start-worker.ts', 'cli/commands/up.ts'].map((file) =>
    pathToFileURL(join(root, file)),
  )
  const script = `await Promise.all(${JSON.stringify(whole)}.map((file) => import(file))); process.exit()`
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module']
  await stage('compiling the worker', (note) => run([process.execPath, ...flags, '--eval', script], { note }))
}
