/** Builds of the same Dockerfiles, pushed to one local registry: with nothing there yet, and with one file changed since. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../../cli/processes.ts'
import type { Bench, BenchContext } from '../bench.ts'
import { debianImage } from '../images/debian.ts'
import { type BenchImage, type PushedImage, provide } from '../images/image.ts'
import { sleeperImage } from '../images/sleeper.ts'
import { type BerthEngine, openBerth } from '../parts/berth.ts'
import { type BesideOptions, besideBuilds, bombs } from '../parts/beside-builds.ts'
import { openBuildah } from '../parts/buildah.ts'
import { settle } from '../parts/cold.ts'
import { onOwnDisk } from '../parts/disk.ts'
import { startDocker } from '../parts/docker.ts'
import { imagePackages, peerPackages } from '../parts/packages.ts'
import { openPodman } from '../parts/podman.ts'
import { reachFromBuilds } from '../parts/reach.ts'
import { startRegistry } from '../parts/registry.ts'
import { makeRow, type Row } from '../report.ts'
import { type Contestant, takeTurns } from '../turns.ts'

export interface BuildCase {
  what: string
  base: BenchImage
  /** Of the Dockerfile, after FROM. */
  steps: string[]
  /** Files of the source beside it. */
  files: number
}

/** Cold: no slower than 1.2 times each of them. Warm: faster than any. */
const budgets = {
  cold: { atLeast: { buildah: 1 / 1.2, podman: 1 / 1.2, docker: 1 / 1.2 } },
  warm: { atLeast: { buildah: 1, podman: 1, docker: 1 } },
}

export function buildBench(cases: BuildCase[], beside: BesideOptions): Bench {
  return {
    description:
      'build and push: Berth, buildah, podman build, docker build; cold, and with one file changed; an app beside a bad build',
    packages: [...imagePackages, ...peerPackages],
    async run(given) {
      const context = await onOwnDisk(given)
      const behind = await startRegistry(context)
      // One name for all of them, which leads where builds of Berth may go.
      const registry = await reachFromBuilds(context, behind)
      const engine = await openBerth({ ...context, allowedHostPorts: [registry.port] }, registry)
      const builders = [
        berthBuilder(engine, context),
        await buildahBuilder(context),
        await podmanBuilder(context),
        await dockerBuilder(context),
      ]
      const rows: Row[] = []
      for (const each of cases) {
        const base = await provide(each.base, registry, context)
        const source = makeSource(each, base, context)
        for (const kind of ['cold', 'warm'] as const) {
          const all = builders.map((builder) => contestant(builder, kind, source, context))
          const { berth: ours = [], ...peers } = await takeTurns(context, all)
          rows.push(
            makeRow({ what: `${kind}: ${each.what}`, unit: 's', berth: ours, peers, budget: budgets[kind] }),
          )
        }
      }
      await engine.close()
      // Where servers have it: on one disk, and not on one in a file of another, by which each write would wait for two.
      const plain = await openBerth({ ...given, allowedHostPorts: [registry.port] }, registry)
      rows.push(...(await besideBuilds(plain, registry, context, beside)))
      return rows
    },
  }
}

export const bench = buildBench(
  [
    {
      what: 'five steps on busybox',
      base: sleeperImage,
      steps: ['RUN true', 'RUN echo one > /one', 'COPY . /app/', 'RUN echo two > /two', 'ENV A=b'],
      files: 10,
    },
    {
      what: '2,000 files on Debian, and a step that reads them',
      base: debianImage,
      steps: ['RUN find /usr -type f > /list', 'COPY . /app/', 'RUN cat /app/* | sha256sum > /sum'],
      files: 2_000,
    },
  ],
  { bombs, idleMs: 10_000, buildMs: 15_000 },
)

interface Source {
  folder: string
  /** Where it is pushed to, for each that builds. */
  reference(name: string): string
  /** Another content of one file, so that steps from there on are new. */
  change(): void
}

interface Builder {
  name: string
  /** Builds and pushes; answers with its seconds, where it knows better than who waits for it. */
  build(source: Source): Promise<unknown>
  /** Nothing of images and layers stays. */
  forget(): Promise<void>
}

type MaybeBuilder = Builder | { name: string; absent: string }

function contestant(
  builder: MaybeBuilder,
  kind: 'cold' | 'warm',
  source: Source,
  { folder, signal }: BenchContext,
): Contestant {
  if ('absent' in builder) return builder
  return {
    name: builder.name,
    async prepare() {
      if (kind === 'cold') await builder.forget()
      else await builder.build(source)
      source.change()
      await settle(folder, signal)
      if (kind === 'warm') await sleep(changeMs, undefined, { signal })
    },
    work: () => builder.build(source),
    finish: async () => undefined,
  }
}

/** Nobody changes a file and builds again any sooner: what is made behind an answer is made by then, whoever makes it. */
const changeMs = 2_000

let sources = 0

function makeSource({ steps, files }: BuildCase, base: PushedImage, context: BenchContext): Source {
  const name = `source-${++sources}`
  const folder = join(context.folder, name)
  mkdirSync(folder)
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${base.reference}\n${steps.join('\n')}\n`)
  for (let file = 0; file < files; file++) writeFileSync(join(folder, `file-${file}`), `${file} `.repeat(200))
  const [host] = base.reference.split('/')
  let changes = 0
  const change = () => writeFileSync(join(folder, 'changed'), String(++changes))
  change()
  return { folder, change, reference: (builder) => `${host}/bench/${name}-${builder}:1` }
}

function berthBuilder(engine: BerthEngine, { folder, signal }: BenchContext): Builder {
  const archive = join(folder, 'source.tar')
  return {
    name: 'berth',
    async build(source) {
      await run(['tar', '-C', source.folder, '-cf', archive, '.'], { signal })
      return engine.call({ build: archive, as: source.reference('berth') })
    },
    forget: async () => void (await engine.call({ forgetBuilds: true })),
  }
}

async function buildahBuilder(context: BenchContext): Promise<MaybeBuilder> {
  const buildah = openBuildah(context)
  if (typeof buildah === 'string') return { name: 'buildah', absent: buildah }
  return {
    name: 'buildah',
    async build(source) {
      const reference = source.reference('buildah')
      await buildah(
        'build',
        '--layers',
        '--isolation=chroot',
        '--tls-verify=false',
        '--tag',
        reference,
        source.folder,
      )
      await buildah('push', '--tls-verify=false', reference)
    },
    forget: async () => void (await buildah('rmi', '--all', '--force')),
  }
}

async function podmanBuilder(context: BenchContext): Promise<MaybeBuilder> {
  const found = await openPodman(context)
  if (typeof found === 'string') return { name: 'podman', absent: found }
  const { podman } = found
  return {
    name: 'podman',
    async build(source) {
      const reference = source.reference('podman')
      const flags = ['--layers', '--isolation=chroot', '--tls-verify=false']
      await podman('build', ...flags, '--tag', reference, source.folder)
      await podman('push', '--tls-verify=false', reference)
    },
    forget: async () => void (await podman('rmi', '--all', '--force')),
  }
}

async function dockerBuilder(context: BenchContext): Promise<MaybeBuilder> {
  const found = await startDocker(context)
  if (typeof found === 'string') return { name: 'docker', absent: found }
  const { docker } = found
  return {
    name: 'docker',
    async build(source) {
      const reference = source.reference('docker')
      await docker('build', '--network=none', '--quiet', '--tag', reference, source.folder)
      await docker('push', '--quiet', reference)
    },
    forget: async () => void (await docker('system', 'prune', '--all', '--force')),
  }
}
