/** Images made here, out of Debian's packages, that stand in for the public ones of docker-compose.yml. */
import { existsSync } from 'node:fs'
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../cli/processes.ts'
import { makeDebianRoot } from './debian-root.ts'

export interface StandIns {
  /** A Compose file with the services `node` and `parts`, which are to be built in this order. */
  file: string
  /** A Compose file to lay over docker-compose.yml: builds use the host's network. */
  override: string
  /** What docker-compose.yml is told, so that it takes them. */
  env: Record<string, string>
  close(): Promise<void>
}

const certificates = '/etc/ssl/certs/ca-certificates.crt'
const sources = import.meta.dirname

export async function makeStandIns(): Promise<StandIns> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-stand-ins-'))
  const close = () => rm(folder, { recursive: true, force: true })
  try {
    await makeNodeContext(join(folder, 'node'))
    await cp(join(sources, 'stand-ins'), join(folder, 'parts'), { recursive: true })
    const file = join(folder, 'stand-ins.yml')
    const service = (name: string) => ({
      image: `berth-${name}`,
      build: { context: join(folder, name), dockerfile: `${name}.Dockerfile`, network: 'host' },
    })
    await writeFile(file, JSON.stringify({ services: { node: service('node'), parts: service('parts') } }))
    const override = join(folder, 'override.yml')
    await writeFile(override, JSON.stringify({ services: { home: { build: { network: 'host' } } } }))
    const parts = ['POSTGRES_IMAGE', 'REDIS_IMAGE', 'REGISTRY_IMAGE', 'HAPROXY_IMAGE']
    return {
      file,
      override,
      env: { BERTH_BASE: 'berth-node', ...Object.fromEntries(parts.map((name) => [name, 'berth-parts'])) },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function makeNodeContext(folder: string): Promise<void> {
  await mkdir(folder)
  await copyFile(join(sources, 'stand-ins/node.Dockerfile'), join(folder, 'node.Dockerfile'))
  await copyFile(process.execPath, join(folder, 'node'))
  if (existsSync(certificates)) await copyFile(certificates, join(folder, 'certificates'))
  else await writeFile(join(folder, 'certificates'), '')
  const npm = run(['npm', 'install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', 'npm@11'])
  await Promise.all([npm, makeDebianRoot(join(folder, 'root.tar'), { without: ['man', 'doc', 'locale'] })])
  await cp(join(folder, 'node_modules/npm'), join(folder, 'npm'), { recursive: true })
  await rm(join(folder, 'node_modules'), { recursive: true, force: true })
}
