// node prisma/generate.ts: makes the Prisma client in platform/generated, without the network, unless it is up to date.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const stamp = join(root, 'platform', 'generated', 'prisma', '.made-from')
const require = createRequire(import.meta.url)
const prismaPackage = require.resolve('prisma/package.json')

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'prisma', 'schema.prisma')))
  .update(readFileSync(prismaPackage))
  .digest('hex')

if (read(stamp) === wanted) {
  console.log('the Prisma client is up to date')
} else {
  const command = join(prismaPackage, '..', 'build', 'index.js')
  execFileSync(process.execPath, [command, 'generate'], {
    cwd: root,
    stdio: 'inherit',
    // Otherwise the command line downloads its schema engine, which generating doesn't need.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  })
  writeFileSync(stamp, wanted)
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
