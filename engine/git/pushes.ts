/** Repositories that are pushed to: git-receive-pack in a container, which asks before it changes anything. */
import { PassThrough, type Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Sandbox, withSandbox } from '../builder/sandbox.ts'
import { within } from '../builder/within.ts'
import { EngineError } from '../errors.ts'
import { commitCommand, ownEnvironment as environment, workDir } from './commands.ts'
import { lastWords, reasonOf, timedOut } from './failures.ts'
import { type Git, GitFailure, type GitOptions, type IncomingPush, type PushSpec } from './git.ts'
import { ensureGitImage, type GitParts } from './git-image.ts'
import {
  acceptCommand,
  advertiseCommand,
  packPushedCommand,
  preparePushCommand,
  pushedFifo,
  pushFiles,
  quarantine,
  receiveCommand,
  sayCommand,
  tidyRepositoryCommand,
} from './push-commands.ts'
import { readCommit } from './read-commit.ts'

export const pushRole = 'push'

const volumeOf = (repository: string) => `repository-${repository}`

type Pushes = Pick<Git, 'advertise' | 'receive' | 'dropRepository'>

export function createPushes(parts: GitParts): Pushes {
  async function withRepository(
    spec: PushSpec,
    { signal }: GitOptions,
    work: (sandbox: Sandbox, throwIfOver: () => void) => Promise<void>,
  ): Promise<void> {
    checkPush(spec)
    signal?.throwIfAborted()
    const { id, idRange, limits, repository } = spec
    const image = await ensureGitImage(parts.images, parts.spawner)
    const files = pushFiles(spec)
    const lent = { role: pushRole, id, image, idRange, limits, workDir, files, volume: volumeOf(repository) }
    await withSandbox(parts, lent, (sandbox) =>
      within(sandbox, { timeMs: limits.timeMs, signal, timedOut }, async (throwIfOver) => {
        await mustRun(sandbox, preparePushCommand)
        await work(sandbox, throwIfOver)
      }),
    )
  }

  return {
    advertise: (spec, sink, options = {}) =>
      withRepository(spec, options, async (sandbox) => {
        await mustRun(sandbox, advertiseCommand, { output: sink })
      }),
    receive: (spec, { input, output }, decide, options = {}) =>
      withRepository(spec, options, async (sandbox, throwIfOver) => {
        let failure: unknown = null
        const fail = (error: unknown) => {
          failure = error
          return false
        }
        // A failure is known before the hook is let go: what ends after it may be noticed in any order.
        const orRefuse = (push: IncomingPush) => decide(push).catch(fail)
        // Nobody waits for it: it ends with the container where nothing is to change.
        textOf(sandbox, ['cat', pushedFifo])
          .then((text) => answer(sandbox, text, orRefuse))
          .catch(fail)
        const { code } = await sandbox.run(receiveCommand, { environment, input, output })
        if (code === 0) await sandbox.run(tidyRepositoryCommand, { environment })
        else throwIfOver()
        if (failure !== null) throw failure
      }),
    dropRepository: (repository) => parts.volumes.remove(volumeOf(repository)),
  }
}

/** Asks what is to become of a push, lets the client see what is said meanwhile, and lets go of the hook. */
async function answer(
  sandbox: Sandbox,
  text: string,
  decide: (push: IncomingPush) => Promise<boolean>,
): Promise<void> {
  const [objects = '', alternates = '', ...lines] = text.split('\n')
  const said = new PassThrough()
  // When the container is gone the client sees nothing more, and whoever decides is not to be troubled by that.
  const telling = sandbox.run(sayCommand, { environment, input: said }).catch(() => null)
  try {
    if (await decide(pushOf(sandbox, quarantine(objects, alternates), lines, said)))
      await mustRun(sandbox, acceptCommand)
  } finally {
    said.end()
    await telling
  }
}

function pushOf(
  sandbox: Sandbox,
  inQuarantine: Record<string, string>,
  lines: string[],
  said: Writable,
): IncomingPush {
  const isNone = (sha: string) => /^0+$/.test(sha)
  return {
    updates: lines.flatMap((line) => {
      const [, before, after, ref] = /^([0-9a-f]{40,64}) ([0-9a-f]{40,64}) (refs\/\S+)$/.exec(line) ?? []
      if (before === undefined || after === undefined || ref === undefined) return []
      return [{ ref, before: isNone(before) ? null : before, after: isNone(after) ? null : after }]
    }),
    say: (line) => {
      if (said.writable) said.write(`${line}\n`)
    },
    async commit(sha) {
      // A tag of its own names a commit.
      return readCommit((await mustRun(sandbox, commitCommand(sha), { environment: inQuarantine })).lines)
    },
    async pack(sha, sink) {
      await mustRun(sandbox, packPushedCommand(sha), { environment: inQuarantine, output: sink })
    },
  }
}

type Options = Parameters<Sandbox['run']>[1]

/** Throws GitFailure unless it ends with 0. */
async function mustRun(sandbox: Sandbox, command: string[], options: Options = {}) {
  const ran = await sandbox.run(command, { environment, ...options })
  if (ran.code !== 0) throw new GitFailure(reasonOf(ran.lines), lastWords(ran.lines))
  return ran
}

async function textOf(sandbox: Sandbox, command: string[]): Promise<string> {
  const output = new PassThrough()
  const [text] = await Promise.all([buffer(output), mustRun(sandbox, command, { output })])
  return text.toString('utf8')
}

function checkPush({ id, repository }: PushSpec): void {
  const areNames = /^[a-z0-9][a-z0-9_-]{0,56}$/.test(id) && /^[a-z0-9][a-z0-9_.-]{0,50}$/.test(repository)
  if (!areNames) throw new EngineError('invalid', 'what was asked of git makes no sense: a name is none')
}
