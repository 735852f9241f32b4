import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { EngineError } from '../errors.ts'
import type { Images } from '../images/images.ts'
import { createKeyedLock } from '../state/keyed-lock.ts'
import type { Spawner } from '../sys/spawner.ts'
import {
  type Builder,
  BuildFailure,
  type BuildOptions,
  type BuildPhase,
  type BuildResult,
  type BuildSpec,
} from './builder.ts'
import { ensureBuilderImage } from './builder-image.ts'
import {
  buildCommand,
  contextDir,
  environment,
  freshCommand,
  type OwnFile,
  ownDir,
  ownFilesText,
  prepareCommand,
  preparedFrom,
  pushAndTellCommand,
  relayCommand,
  secretFile,
  workDir,
} from './commands.ts'
import { lastError, reasonOf } from './failures.ts'
import { generateDockerfile } from './generate.ts'
import { registryFiles } from './registries.ts'
import {
  type Lent,
  lend,
  type OpenSandbox,
  openSandbox,
  type RunOptions,
  type Sandbox,
  type SandboxParts,
  type SandboxSpec,
  sweepSandboxes,
} from './sandbox.ts'
import { createSpares } from './spares.ts'
import { within } from './within.ts'

export interface BuilderParts extends SandboxParts {
  images: Images
  spawner: Spawner
  /** Whether the host has so much left that a sandbox may wait for its next build. */
  mayKeepSpare(spec: BuildSpec): Promise<boolean>
}

const role = 'build'
/** Of what waited, as long as it is there. */
const spareRole = 'spare'
const volumeName = (cache: string) => `build-${cache}`

/** A cache that is so full leaves too little for the next build. */
const fullPercent = 70
/** Of a source without a Dockerfile as many names are told. */
const keptAnswers = 22
const spares = { most: 2, keptMs: 10 * 60_000 }
/** To prepare, to build, and to push. */
const commandsAhead = 3
/** Layers that take longer are left to hosts that need them to make. */
const shareMs = 5 * 60_000

export interface ClosableBuilder extends Builder {
  /** Waits until nothing is left of builds that have answered. */
  close(): Promise<void>
}

export async function createBuilder(parts: BuilderParts): Promise<ClosableBuilder> {
  const { images, spawner, volumes } = parts
  const lock = createKeyedLock()
  const waiting = createSpares(spares)
  const ending = new Set<Promise<unknown>>()
  /** By the caches of builds: what the last one of each leaves for other hosts is called off by it. */
  const sharing = new Map<string, AbortController>()
  let underWay = 0
  for (const each of [role, spareRole]) await sweepSandboxes(parts, each)

  async function sandboxFor(spec: BuildSpec): Promise<OpenSandbox> {
    const image = await ensureBuilderImage(images, spawner)
    const spare = await waiting.take(spec.cache, likenessOf(spec, image))
    if (spare !== null) return spare
    const open = await openSandbox(parts, sandboxSpec(spec, spec.id, image))
    // It goes on without them where they can't be begun, and is told why then.
    open.sandbox.beginAhead(commandsAhead).catch(() => undefined)
    return open
  }

  async function buildOnce(spec: BuildSpec, options: Options): Promise<Lent<Found>> {
    options.signal?.throwIfAborted()
    return lend(
      await sandboxFor(spec),
      (sandbox) => runBuild(withUsual(sandbox), spec, options),
      (sandbox, found) => share(withUsual(sandbox), found, options.hurry),
    )
  }

  async function build(spec: BuildSpec, options: Options): Promise<Lent<Found>> {
    try {
      return await buildOnce(spec, options)
    } catch (error) {
      if (!(error instanceof BuildFailure) || error.reason !== 'disk-full') throw error
      // What earlier builds left may have been too much: once more with the whole disk.
      const hadCache = error.hadCache
      await volumes.remove(volumeName(spec.cache))
      if (!hadCache) throw error
      return buildOnce(spec, options)
    }
  }

  /** What the build before it leaves for other hosts is not what this one waits for. */
  function hurryOf(cache: string): AbortController {
    sharing.get(cache)?.abort()
    const hurry = new AbortController()
    sharing.set(cache, hurry)
    return hurry
  }

  async function end(spec: BuildSpec, lent: Lent<Found> | null): Promise<void> {
    if ((lent?.result.usedPercent ?? 0) > fullPercent) {
      await lent?.removed
      await volumes.remove(volumeName(spec.cache))
    }
    await Promise.allSettled([lent?.removed, keepSpare(spec, lent?.removed)])
  }

  /** Not while others are under way: those are what the host's time is for. */
  async function keepSpare(spec: BuildSpec, removed: Promise<void> | undefined): Promise<void> {
    if (underWay > 0 || !(await parts.mayKeepSpare(spec))) return
    const image = await ensureBuilderImage(images, spawner)
    await waiting.keep(spec.cache, likenessOf(spec, image), async () => {
      const id = randomBytes(6).toString('hex')
      const open = await openSandbox(parts, sandboxSpec(spec, id, image, spares.keptMs))
      try {
        await open.sandbox.beginAhead(commandsAhead + 1)
        // Nothing of the last build may write there any more.
        await removed
        await open.sandbox.run(freshCommand, { environment })
        return open
      } catch (error) {
        await open.remove()
        throw error
      }
    })
  }

  return {
    async build(spec, options) {
      checkBuild(spec)
      const answer = Promise.withResolvers<BuildResult>()
      const hurry = hurryOf(spec.cache)
      underWay++
      lock(spec.cache, async () => {
        const lent = await build(spec, { ...options, hurry: hurry.signal }).then(
          (built) => {
            const { digest, hadCache } = built.result
            answer.resolve({ digest, hadCache })
            return built
          },
          (error) => {
            answer.reject(error)
            return null
          },
        )
        underWay--
        // What fails from here on leaves what the next engine sweeps.
        const ended = end(spec, lent).catch(() => undefined)
        ending.add(ended)
        await ended
        ending.delete(ended)
        if (sharing.get(spec.cache) === hurry) sharing.delete(spec.cache)
      })
      return answer.promise
    },
    dropCache(cache) {
      sharing.get(cache)?.abort()
      return lock(cache, async () => {
        await waiting.drop(cache)
        await volumes.remove(volumeName(cache))
      })
    },
    async close() {
      for (const hurry of sharing.values()) hurry.abort()
      await waiting.close()
      await Promise.all(ending)
    },
  }
}

/** @param id of the sandbox: that of its build, or of one that waits. */
function sandboxSpec(spec: BuildSpec, id: string, image: string, waitMs = 0): SandboxSpec {
  const { idRange, limits, cache, push } = spec
  return {
    ...{ role: waitMs > 0 ? spareRole : role, id, image, idRange, limits, workDir, waitMs },
    volume: volumeName(cache),
    nesting: true,
    forThisBoot: true,
    files: [],
    inMemory: [ownDir],
    first: (gateway) => relayCommand(push.reference, gateway),
  }
}

/** All that a sandbox is made of, but its name: what differs is not known of a build before it comes. */
function likenessOf({ idRange, limits, push }: BuildSpec, image: string): string {
  return JSON.stringify([image, idRange, limits, relayCommand(push.reference, '')])
}

interface Options extends BuildOptions {
  /** Whoever is next waits for nothing that is done behind an answer. */
  hurry: AbortSignal
}

interface Found extends BuildResult {
  usedPercent: number
  /** Leaves the layers for other hosts; null: there is no place for them. */
  shareCommand: { command: string[]; workingDir: string } | null
}

const timedOut = (message: string) => new BuildFailure('timeout', message)

const withUsual = (lent: Sandbox): Sandbox => ({
  ...lent,
  run: (command: string[], more?: RunOptions) => lent.run(command, { environment, ...more }),
})

function runBuild(sandbox: Sandbox, spec: BuildSpec, options: BuildOptions): Promise<Found> {
  const { signal } = options
  return within(sandbox, { timeMs: spec.limits.timeMs, signal, timedOut }, (throwIfOver) =>
    buildIn(sandbox, spec, options, throwIfOver),
  )
}

/** The same build once more, of which every step is in the store by now: buildah pushes those then that it finds there. */
async function share(sandbox: Sandbox, { shareCommand }: Found, signal: AbortSignal): Promise<void> {
  if (shareCommand === null) return
  const { command, workingDir } = shareCommand
  await within(sandbox, { timeMs: shareMs, signal, timedOut }, () => sandbox.run(command, { workingDir }))
}

async function buildIn(
  sandbox: Sandbox,
  spec: BuildSpec,
  { onLine, onPhase }: BuildOptions,
  throwIfOver: () => void,
): Promise<Found> {
  let phase: BuildPhase = 'unpacking'
  const enter = (next: BuildPhase) => {
    phase = next
    onPhase?.(next)
  }
  const found: string[] = []
  const hadCache = () => preparedFrom(found, spec).hadCache
  /** Throws unless it ends with 0. */
  async function must(command: string[], more: RunOptions): Promise<void> {
    const { code, lines } = await sandbox.run(command, { onLine, ...more })
    throwIfOver()
    if (code === 0) return
    const wasOutOfMemory = await sandbox.wasOutOfMemory()
    const reason = reasonOf({ phase, exitCode: code, lines, wasOutOfMemory })
    throw new BuildFailure(reason, lastError(lines), code, hadCache())
  }
  enter('unpacking')
  const onAnswer = (text: string) => void (found.length < keptAnswers && found.push(text))
  await must(prepareCommand(spec), {
    input: behind(ownFilesText(ownFiles(spec)), spec.source.open()),
    onAnswer,
  })
  const { dockerfile, instead } = preparedFrom(found, spec)
  const workingDir = posix.join(contextDir, spec.folder ?? '.')
  const isGenerated = dockerfile === null && spec.generate !== undefined && spec.dockerfile === undefined
  if (dockerfile === null && !isGenerated) throw new BuildFailure('dockerfile-missing', instead.join(', '))
  const by = dockerfile === null ? await generateDockerfile(sandbox, spec, workingDir) : { dockerfile }
  throwIfOver()
  enter('building')
  const told: string[] = []
  const go = new PassThrough()
  const pushing = must(pushAndTellCommand(spec.push), { input: go, onAnswer: (text) => told.push(text) })
  // What ends it early ends the build, too, which says more.
  pushing.catch(() => undefined)
  const repository = spec.sharedCache?.repository
  // Each step that is not in the store would be looked for there, most of them in vain, once the app was built here.
  const cacheFrom = hadCache() ? undefined : repository
  try {
    await must(buildCommand(spec, { ...by, cacheFrom }), { workingDir })
    enter('pushing')
    go.end('go\n')
    await pushing
  } finally {
    go.destroy()
  }
  const [digest = '', disk = ''] = told
  return {
    digest,
    hadCache: hadCache(),
    usedPercent: Number(/(\d+)% /.exec(disk)?.[1] ?? 0),
    shareCommand:
      repository === undefined
        ? null
        : { command: buildCommand(spec, { ...by, cacheTo: repository }), workingDir },
  }
}

function ownFiles(spec: BuildSpec): OwnFile[] {
  const secrets = Object.values(spec.secrets ?? {})
  return [
    ...registryFiles(spec),
    ...secrets.map((content, index) => ({ target: secretFile(index), content })),
  ]
}

/** The text and then the source, whose failure is that of the whole, and which ends with it. */
function behind(text: string, source: Readable): Readable {
  const whole = new PassThrough()
  whole.write(text)
  pipeline(source, whole).catch(() => undefined)
  return whole
}

/** Throws invalid: what passes can't be an option, or lead out of the source. */
function checkBuild(spec: BuildSpec): void {
  const { id, cache, folder, dockerfile, target, args = {}, secrets = {}, sharedCache } = spec
  must(/^[a-z0-9][a-z0-9_-]{0,56}$/.test(id), `the id ${JSON.stringify(id)} is none`)
  must(/^[a-z0-9][a-z0-9_.-]{0,56}$/.test(cache), `the cache ${JSON.stringify(cache)} is no name`)
  for (const path of [folder, dockerfile])
    must(
      path === undefined ||
        (/^[^\0-][^\0]*$/.test(path) && !path.startsWith('/') && !path.split('/').includes('..')),
      `${JSON.stringify(path)} is no path inside the source`,
    )
  must(
    sharedCache === undefined || /^[\w.:-]+(\/[a-z0-9._-]+)+$/.test(sharedCache.repository),
    `${JSON.stringify(sharedCache?.repository)} is no repository`,
  )
  must(target === undefined || /^[A-Za-z0-9][\w.-]*$/.test(target), 'the target is no stage')
  for (const name of Object.keys(args)) must(/^[A-Za-z_]\w*$/.test(name), `${name} is no build argument`)
  for (const name of Object.keys(secrets)) must(/^[\w.-]+$/.test(name), `${name} is no name for a secret`)
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new EngineError('invalid', `what was asked to be built makes no sense: ${otherwise}`)
}
