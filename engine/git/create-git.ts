import { PassThrough, type Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Ran, type RunOptions, sweepSandboxes, withSandbox } from '../builder/sandbox.ts'
import { within } from '../builder/within.ts'
import { EngineError } from '../errors.ts'
import {
  changedCommand,
  checkOutCommand,
  commitCommand,
  environment,
  fetchCommand,
  filesFor,
  knownHostsFile,
  listCommand,
  nameRemoteCommand,
  packCommand,
  prepareCommand,
  sourceDir,
  submodulesCommand,
  workDir,
} from './commands.ts'
import { lastWords, reasonOf, timedOut } from './failures.ts'
import {
  type Fetched,
  type FetchSpec,
  type Git,
  GitFailure,
  type GitOptions,
  type GitRef,
  type LookSpec,
  type Seen,
} from './git.ts'
import { ensureGitImage, type GitParts, hasLfs } from './git-image.ts'
import { createPushes, pushRole } from './pushes.ts'
import { readCommit } from './read-commit.ts'

const role = 'git'

export async function createGit(parts: GitParts): Promise<Git> {
  await sweepSandboxes(parts, role)
  await sweepSandboxes(parts, pushRole)

  /** Lends a way to run commands, each of which must end with 0, within the time that there is for all. */
  async function withGit<T>(
    spec: FetchSpec | LookSpec,
    { onLine, signal }: GitOptions,
    work: (must: Must) => Promise<T>,
  ): Promise<T> {
    checkSpec(spec)
    signal?.throwIfAborted()
    const { id, remote, idRange, limits } = spec
    const image = await ensureGitImage(parts.images, parts.spawner)
    const files = filesFor(remote, { lfs: hasLfs() })
    const sandbox = { role, id, image, idRange, limits, workDir, files, volume: null }
    return withSandbox(parts, sandbox, ({ run, kill }) =>
      within({ kill }, { timeMs: limits.timeMs, signal, timedOut }, (throwIfOver) =>
        work(async (command, { mayFail, ...options } = {}) => {
          const ran = await run(command, {
            environment,
            workingDir: sourceDir,
            onLine: ({ stream, text }) => (stream === 'stderr' ? onLine?.(text) : undefined),
            ...options,
          })
          throwIfOver()
          if (ran.code !== 0 && mayFail !== true)
            throw new GitFailure(reasonOf(ran.lines), lastWords(ran.lines))
          return ran
        }),
      ),
    )
  }

  return {
    ...createPushes(parts),
    fetch: (spec, sink, options = {}) =>
      withGit(spec, options, async (must): Promise<Fetched> => {
        await must(prepareCommand, { workingDir: workDir })
        await must(nameRemoteCommand(spec.remote))
        await must(fetchCommand(spec.remote, spec.sha ?? spec.ref))
        await must(checkOutCommand)
        await must(submodulesCommand)
        const commit = readCommit((await must(commitCommand('FETCH_HEAD'))).lines)
        const hostKeys = await shownKeys(spec, must)
        await must(packCommand, { output: sink })
        return { commit, hostKeys }
      }),
    look: (spec, options = {}) =>
      withGit(spec, options, async (must): Promise<Seen> => {
        await must(prepareCommand, { workingDir: workDir })
        const sha = await shaOf(spec, must)
        const hostKeys = await shownKeys(spec, must)
        return { sha, changed: await changedSince(spec, sha, must), hostKeys }
      }),
  }
}

type Must = (command: string[], options?: RunOptions & { mayFail?: boolean }) => Promise<Ran>

async function shaOf({ remote, ref }: LookSpec, must: Must): Promise<string> {
  if (ref.kind === 'commit') return ref.name
  const text = await textOf(must, listCommand(remote, ref))
  const rows = text.split('\n').map((line) => /^([0-9a-f]{40,64})\t(\S+)$/.exec(line))
  const found = rows.findLast((row) =>
    row?.[2]?.startsWith(ref.kind === 'tag' ? 'refs/tags/' : 'refs/heads/'),
  )
  if (found?.[1] === undefined) throw new GitFailure('ref-missing', `there is no ${ref.kind} ${ref.name}`)
  return found[1]
}

async function changedSince({ remote, since }: LookSpec, sha: string, must: Must): Promise<string[] | null> {
  if (since === null || since === sha) return null
  for (const each of [since, sha]) {
    const { code } = await must(fetchCommand(remote, each), { mayFail: each === since })
    if (code !== 0) return null
  }
  return (await textOf(must, changedCommand(since, sha))).split('\0').filter((path) => path !== '')
}

async function textOf(must: Must, command: string[]): Promise<string> {
  const output = new PassThrough()
  const [text] = await Promise.all([buffer(output), must(command, { output: output as Writable })])
  return text.toString('utf8')
}

/** Those that were trusted because nobody had given any: type and key, as known_hosts has them behind the name. */
async function shownKeys({ remote }: FetchSpec | LookSpec, must: Must): Promise<string[]> {
  if (!remote.url.startsWith('ssh:') || (remote.hostKeys ?? []).length > 0) return []
  const { lines } = await must(['cat', knownHostsFile], { mayFail: true })
  return lines.flatMap((line) => /^\S+ ([a-z0-9@.-]+ [A-Za-z0-9+/=]+)$/.exec(line)?.[1] ?? [])
}

/** Throws invalid: what passes can't be an option, another protocol, or a line of a configuration. */
function checkSpec({ id, remote, ...spec }: FetchSpec | LookSpec): void {
  must(/^[a-z0-9][a-z0-9_-]{0,56}$/.test(id), `the id ${JSON.stringify(id)} is none`)
  const url = URL.parse(remote.url)
  must(url !== null && /^(https|ssh):$/.test(url.protocol), 'the address is neither https nor ssh')
  must(
    url === null || /^(\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.test(url.hostname),
    'the host is no name',
  )
  must(url === null || url.password === '', 'the address has a password in it')
  must(/^[\x21-\x7e]+$/.test(remote.url), 'the address has characters that addresses have not')
  must(!/[\r\n\0]/.test(Object.values(remote.credentials ?? {}).join('')), 'the password has lines')
  for (const key of remote.hostKeys ?? [])
    must(/^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$/.test(key), `${JSON.stringify(key)} is no key of a host`)
  for (const sha of ['sha' in spec ? spec.sha : undefined, 'since' in spec ? spec.since : undefined])
    must(sha === undefined || sha === null || isSha(sha), 'a commit is none')
  checkRef(spec.ref)
}

const isSha = (text: string) => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text)

/** git-check-ref-format(1), and no more than that. */
function checkRef({ kind, name }: GitRef): void {
  const isName =
    /^[^\0-\x20\x7f~^:?*[\\]{1,200}$/.test(name) && !/^[-/.]|\/\/|\.\.|@\{|\/\.|[/.]$|\.lock(\/|$)/.test(name)
  must(kind === 'commit' ? isSha(name) : isName, `${JSON.stringify(name)} is no name of a ${kind}`)
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new EngineError('invalid', `what was asked of git makes no sense: ${otherwise}`)
}
