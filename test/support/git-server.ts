/**
 * A real Git server in a world of its own: a network namespace that is no part of this host, as a forge is none. By
 * https (git http-backend) and by ssh (sshd), with repositories that everybody may read and others.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { makeCertificates } from './certificates.ts'
import { until } from './until.ts'

export interface GitServer {
  address: string
  /** Of whoever signed its certificate. */
  ca: string
  /** Username `deploy`, for what is below private/. */
  password: string
  /** Such as `ssh-ed25519 AAAA…`. */
  hostKey: string
  httpsUrl(name: string): string
  sshUrl(name: string): string
  /** A bare repository such as `public/shop.git` with a first commit. */
  create(name: string, files: Record<string, string>): Repository
  /** Lets the owner of a public key in, and nobody else. */
  allowKey(publicKey: string): void
  /** Another host key from now on. */
  changeHostKey(): Promise<void>
  /** What was told of commits, as Gitea's API is. */
  statuses(): { path: string; authorization: string; body: Record<string, string> }[]
  /** From now on what is below slow/ is answered, too. */
  quicken(): void
  /** Keeps an object as LFS does; answers with what the repository has instead. */
  keepByLfs(content: string): string
  /** A line for each request by https. */
  asked(): string[]
  close(): Promise<void>
}

export interface Repository {
  /** Changes files on a branch; answers with the commit. An empty text removes the file. */
  commit(files: Record<string, string>, options?: { branch?: string; message?: string }): string
  git(...args: string[]): string
}

/** What this host's git is set up to do, such as filters of LFS, is not what a repository has. */
export const plainGit = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' }

const httpsPort = 8443
const sshPort = 2222
let made = 0

export async function startGitServer(): Promise<GitServer> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-git-'))
  const name = `bg${process.pid}-${++made}`
  const third = (process.pid * 7 + made) % 250
  const [here, address] = [`198.19.${third}.1`, `198.19.${third}.2`]
  const link = `bg${randomBytes(4).toString('hex')}`
  const run = (file: string, ...args: string[]) => execFileSync(file, args, { stdio: 'pipe' }).toString()
  run('ip', 'netns', 'add', name)
  run('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  run('ip', 'address', 'add', `${here}/24`, 'dev', link)
  run('ip', 'link', 'set', link, 'up')
  for (const line of ['link set lo up', `address add ${address}/24 dev eth0`, 'link set eth0 up'])
    run('ip', '-n', name, ...line.split(' '))
  const { ca, cert, key } = makeCertificates(`IP:${address}`)
  const password = randomBytes(12).toString('hex')
  const write = (file: string, content: string) => writeFileSync(join(folder, file), content, { mode: 0o600 })
  write('cert', cert)
  write('key', key)
  write('authorized_keys', '')
  write('http.log', '')
  write('statuses.log', '')
  mkdirSync('/run/sshd', { recursive: true })
  write(
    'sshd_config',
    [
      `ListenAddress ${address}:${sshPort}`,
      `HostKey ${folder}/host_key`,
      `AuthorizedKeysFile ${folder}/authorized_keys`,
      `ForceCommand /bin/sh ${folder}/ssh-command`,
      `PidFile ${folder}/sshd.pid`,
      ...['StrictModes no', 'UsePAM no', 'PasswordAuthentication no', 'PermitRootLogin prohibit-password'],
      '',
    ].join('\n'),
  )
  // As forges do it: by ssh it is told where LFS keeps its files, and what lets in there.
  const header = { Authorization: `Basic ${Buffer.from(`deploy:${password}`).toString('base64')}` }
  write(
    'ssh-command',
    [
      `cd ${folder}/repositories || exit 1`,
      'case "$SSH_ORIGINAL_COMMAND" in',
      'git-lfs-authenticate*)',
      `  name=$(echo "$SSH_ORIGINAL_COMMAND" | sed -e "s#.*/repositories/##" -e "s#'* download.*##")`,
      `  echo '{"href":"https://${address}:${httpsPort}/'"$name"'/info/lfs","header":${JSON.stringify(header)}}'`,
      '  ;;',
      '*) exec git-shell -c "$SSH_ORIGINAL_COMMAND" ;;',
      'esac',
      '',
    ].join('\n'),
  )
  const children = new Set<ChildProcess>()
  const start = (...argv: string[]) => {
    const child = spawn('ip', ['netns', 'exec', name, ...argv], { stdio: ['ignore', 'ignore', 'inherit'] })
    children.add(child)
    return child
  }
  const answers = (port: number) =>
    until(
      `port ${port} of the Git server answers`,
      () =>
        new Promise<boolean>((resolve) => {
          const socket = connect(port, address, () => resolve(true))
          socket.on('error', () => resolve(false))
          socket.on('connect', () => socket.destroy())
        }),
    )
  const end = async (child: ChildProcess) => {
    children.delete(child)
    child.kill('SIGTERM')
    await until('a server of the test ended', () => child.exitCode !== null || child.signalCode !== null)
  }

  async function startSsh(): Promise<ChildProcess> {
    rmSync(join(folder, 'host_key'), { force: true })
    rmSync(join(folder, 'host_key.pub'), { force: true })
    run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'host_key'))
    const child = start(
      '/usr/sbin/sshd',
      '-D',
      '-e',
      '-f',
      join(folder, 'sshd_config'),
      '-o',
      'LogLevel=ERROR',
    )
    await answers(sshPort)
    return child
  }

  const httpFile = new URL('./git-http.ts', import.meta.url).pathname
  start(
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    httpFile,
    folder,
    address,
    String(httpsPort),
    password,
  )
  let ssh = await startSsh()
  await answers(httpsPort)

  function repositoryAt(path: string): Repository {
    const git = (...args: string[]) =>
      execFileSync(
        'git',
        [
          '-C',
          path,
          '-c',
          'user.name=Ada',
          '-c',
          'user.email=ada@example.com',
          '-c',
          'protocol.file.allow=always',
          ...args,
        ],
        { stdio: 'pipe', env: { ...process.env, ...plainGit } },
      )
        .toString()
        .trim()
    return {
      git,
      commit(files, { branch = 'main', message = 'Change' } = {}) {
        const work = mkdtempSync(join(tmpdir(), 'berth-git-work-'))
        try {
          const at = repositoryAt(work).git
          at('clone', '-q', path, '.')
          const has = git('for-each-ref', '--format=%(refname:short)').split('\n').includes(branch)
          at('checkout', '-q', ...(has ? [branch] : ['-b', branch]))
          for (const [file, content] of Object.entries(files)) {
            mkdirSync(dirname(join(work, file)), { recursive: true })
            if (content === '') rmSync(join(work, file), { recursive: true, force: true })
            else writeFileSync(join(work, file), content)
          }
          at('add', '-A')
          at('commit', '-q', '--allow-empty', '-m', message)
          at('push', '-q', 'origin', `HEAD:refs/heads/${branch}`)
          return at('rev-parse', 'HEAD')
        } finally {
          rmSync(work, { recursive: true, force: true })
        }
      },
    }
  }

  return {
    ...{ address, ca, password },
    get hostKey() {
      return readFileSync(join(folder, 'host_key.pub'), 'utf8').split(' ').slice(0, 2).join(' ').trim()
    },
    httpsUrl: (each) => `https://${address}:${httpsPort}/${each}`,
    sshUrl: (each) => `ssh://root@${address}:${sshPort}${join(folder, 'repositories', each)}`,
    create(each, files) {
      const path = join(folder, 'repositories', each)
      mkdirSync(path, { recursive: true })
      run('git', 'init', '-q', '--bare', '-b', 'main', path)
      const repository = repositoryAt(path)
      repository.git('config', 'uploadpack.allowReachableSHA1InWant', 'true')
      repository.commit(files, { message: 'First commit' })
      return repository
    },
    allowKey: (publicKey) => write('authorized_keys', `${publicKey}\n`),
    async changeHostKey() {
      await end(ssh)
      ssh = await startSsh()
    },
    statuses: () =>
      readFileSync(join(folder, 'statuses.log'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line)),
    keepByLfs(content) {
      const oid = createHash('sha256').update(content).digest('hex')
      write(`lfs-${oid}`, content)
      const size = Buffer.byteLength(content)
      return `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`
    },
    quicken: () => write('quick', ''),
    asked: () => readFileSync(join(folder, 'http.log'), 'utf8').trim().split('\n'),
    async close() {
      for (const child of children) await end(child)
      // Both ends go at once; with the namespace they would go at some later time.
      run('ip', 'link', 'delete', link)
      run('ip', 'netns', 'delete', name)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
