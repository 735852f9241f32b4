/** A real registry (CNCF Distribution) on a free loopback port. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './until.ts'

export interface TestRegistry {
  /** Such as localhost:40123. */
  host: string
  port: number
  /** Where its files are. */
  folder: string
  stop(): Promise<void>
}

export interface TokenAuth {
  realm: string
  service: string
  issuer: string
  rootCertBundle: string
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** @param auth a token server, or a file of names and passwords as htpasswd makes it (bcrypt). */
export async function startRegistry(auth?: TokenAuth | { htpasswd: string }): Promise<TestRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-registry-'))
  const port = await freePort()
  const token = !auth
    ? ''
    : 'htpasswd' in auth
      ? `auth:\n  htpasswd: {realm: here, path: ${folder}/htpasswd}\n`
      : `auth:\n  token:\n    realm: ${auth.realm}\n    service: ${auth.service}\n    issuer: ${auth.issuer}\n    rootcertbundle: ${auth.rootCertBundle}\n`
  if (auth && 'htpasswd' in auth) await writeFile(join(folder, 'htpasswd'), auth.htpasswd)
  await writeFile(
    join(folder, 'config.yml'),
    `version: 0.1\nlog: {level: error}\nstorage:\n  filesystem: {rootdirectory: ${folder}/data}\n  delete: {enabled: true}\n` +
      `http: {addr: 127.0.0.1:${port}, relativeurls: true}\n${token}`,
  )
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' })
  await until('the registry answers', async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).status < 500)
  return { host: `localhost:${port}`, port, folder, stop: () => stop(child, folder) }
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
  }
  await rm(folder, { recursive: true, force: true })
}
