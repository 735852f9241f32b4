/**
 * What people push and pull with: docker, podman, buildah and skopeo, each with a store of its own that has one small image,
 * and with the logins that a folder keeps.
 */
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDocker } from './docker.ts'
import { buildImage } from './images.ts'
import { writeLayout } from './oci-layout.ts'
import { type ClientResult, client } from './registry-stack.ts'

export interface Login {
  /** Of the registry, such as localhost:40123. */
  host: string
  name: string
  secret: string
}

export interface RegistryClient {
  name: string
  /** Keeps a login in a folder. */
  login(folder: string, login: Login): Promise<ClientResult>
  /** Pushes the store's image under this name, with the login of the folder if there is one. */
  push(folder: string, reference: string): Promise<ClientResult>
  pull(folder: string, reference: string): Promise<ClientResult>
}

export interface RegistryClients {
  all: RegistryClient[]
  close(): Promise<void>
}

const image = 'localhost/berth-test/small:1'

export async function startRegistryClients(): Promise<RegistryClients> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-clients-'))
  const layout = join(folder, 'layout')
  const archive = join(folder, 'small.tar')
  await writeLayout(await buildImage({ bare: true, files: { 'by-a-client': 'of its own' } }), layout)
  await expectOk(
    client('skopeo', ['copy', '--insecure-policy', `oci:${layout}`, `docker-archive:${archive}:${image}`]),
  )
  const docker = await startDocker()
  try {
    const all = await Promise.all([
      dockerClient(docker.host, archive),
      storeClient('podman', folder, archive, { flags: ['--events-backend=none'] }),
      // It is content with what it has otherwise.
      storeClient('buildah', folder, archive, { pull: ['--policy=always'] }),
      skopeoClient(layout),
    ])
    return { all, close }
  } catch (error) {
    await close()
    throw error
  }

  async function close(): Promise<void> {
    await docker.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function dockerClient(host: string, archive: string): Promise<RegistryClient> {
  const run = (folder: string, args: string[]) =>
    client('docker', args, { env: { DOCKER_HOST: host, DOCKER_CONFIG: folder } })
  await expectOk(run(join(archive, '..'), ['load', '--input', archive]))
  return {
    name: 'docker',
    login: (folder, { host: registry, name, secret }) =>
      run(folder, ['login', '--username', name, '--password', secret, registry]),
    async push(folder, reference) {
      await expectOk(run(folder, ['tag', image, reference]))
      return run(folder, ['push', reference])
    },
    pull: (folder, reference) => run(folder, ['pull', reference]),
  }
}

/** podman and buildah: the same store and the same words. */
async function storeClient(
  name: string,
  within: string,
  archive: string,
  { flags = [], pull = [] }: { flags?: string[]; pull?: string[] },
): Promise<RegistryClient> {
  const store = join(within, name)
  await mkdir(store)
  const run = async (folder: string, [command = '', ...args]: string[]) =>
    client(name, [
      ...['--root', join(store, 'root'), '--runroot', join(store, 'run'), '--storage-driver=vfs', ...flags],
      ...[command, `--authfile=${await authFile(folder)}`, '--tls-verify=false', ...args],
    ])
  await expectOk(run(store, ['pull', `docker-archive:${archive}`]))
  return {
    name,
    login: (folder, { host, name: user, secret }) =>
      run(folder, ['login', '--username', user, '--password', secret, host]),
    push: (folder, reference) => run(folder, ['push', image, `docker://${reference}`]),
    pull: (folder, reference) => run(folder, ['pull', ...pull, `docker://${reference}`]),
  }
}

function skopeoClient(layout: string): RegistryClient {
  const copy = async (folder: string, from: string, to: string, side: 'src' | 'dest') =>
    client('skopeo', [
      ...['copy', '--insecure-policy', `--authfile=${await authFile(folder)}`, `--${side}-tls-verify=false`],
      ...[from, to],
    ])
  return {
    name: 'skopeo',
    login: async (folder, { host, name, secret }) =>
      client('skopeo', [
        ...['login', `--authfile=${await authFile(folder)}`, '--tls-verify=false'],
        ...['--username', name, '--password', secret, host],
      ]),
    push: (folder, reference) => copy(folder, `oci:${layout}`, `docker://${reference}`, 'dest'),
    async pull(folder, reference) {
      const to = await mkdtemp(join(folder, 'pulled-'))
      return copy(folder, `docker://${reference}`, `oci:${to}`, 'src')
    },
  }
}

async function expectOk(result: Promise<ClientResult>): Promise<void> {
  const { ok, said } = await result
  if (!ok) throw new Error(said)
}

/** The logins of a folder; podman and its kin want the file to be there. */
async function authFile(folder: string): Promise<string> {
  const file = join(folder, 'auth.json')
  if (!existsSync(file)) await writeFile(file, '{}')
  return file
}
