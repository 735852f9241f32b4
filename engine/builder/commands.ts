/** What a build runs inside its container. Pure. Source: buildah-build(1), buildah-push(1). */
import type { BuildSpec, PushTarget, SourceFormat } from './builder.ts'

/** The build's disk: buildah's store and its knowledge of registries are below it by their usual names. */
export const workDir = '/var/lib/containers'
export const contextDir = `${workDir}/context`
/** In memory: what is for this build only. */
export const ownDir = '/build'
export const authFile = `${ownDir}/auth.json`
export const registriesFile = `${ownDir}/registries.conf`
export const authoritiesDir = `${ownDir}/certs.d`
const digestFile = '/run/digest'
export const secretFile = (index: number) => `${ownDir}/secret-${index}`

export const environment = {
  STORAGE_DRIVER: 'overlay',
  BUILDAH_ISOLATION: 'chroot',
  TMPDIR: `${workDir}/tmp`,
  PATH: '/usr/bin:/bin',
  HOME: '/root',
}

export interface OwnFile {
  /** Below `ownDir`; without spaces. */
  target: string
  content: string
}

/** What comes in at the standard input of `prepareCommand` before the archive. */
export function ownFilesText(files: readonly OwnFile[]): string {
  const lines = files.map(({ target, content }) => `${target} ${Buffer.from(content).toString('base64')}\n`)
  return `${lines.join('')}${endOfFiles}\n`
}

const endOfFiles = '.'

/** `read` takes no byte of what is behind a line. */
const takeFiles = `umask 077
while IFS=' ' read -r path content && [ "$path" != ${endOfFiles} ]; do
  mkdir -p "\${path%/*}" && echo "$content" | base64 -d >"$path" || exit
done
umask 022`

/**
 * All that comes before a build, in one process, since each takes a while to begin. The build's own files and then the
 * archive come in at standard input. Standard output is as `preparedFrom` reads it; what the archive's reader says goes
 * to standard error.
 */
export function prepareCommand({ source, folder, dockerfile }: PrepareSpec): string[] {
  const script = [takeFiles, tellCache, tidy, unpack[source.format], findDockerfile].join('\n')
  return ['sh', '-c', script, 'sh', folder ?? '.', ...namesOf(dockerfile)]
}

type PrepareSpec = Pick<BuildSpec, 'folder' | 'dockerfile'> & { source: Pick<BuildSpec['source'], 'format'> }

export interface Prepared {
  /** Whether there are layers of earlier builds. */
  hadCache: boolean
  /** Seen from the source's folder. */
  dockerfile: string | null
  /** What the folder has instead, or why it can't be looked at. */
  instead: string[]
}

/** @param said lines of standard output: the cache, the Dockerfile's number, and then names that strangers chose. */
export function preparedFrom(
  [cache, number, ...instead]: readonly string[],
  { dockerfile }: Pick<BuildSpec, 'dockerfile'>,
): Prepared {
  return { hadCache: cache === 'cached', dockerfile: namesOf(dockerfile)[Number(number)] ?? null, instead }
}

const namesOf = (dockerfile: string | undefined) =>
  dockerfile === undefined ? ['Dockerfile', 'Containerfile'] : [dockerfile]

const tellCache = `ls -d ${workDir}/storage/overlay-images/*/ >/dev/null 2>&1 && echo cached || echo new`

/** Takes away what a build that was killed left in buildah's store. */
const tidy = `for f in ${workDir}/storage/overlay-containers/*/; do
  [ ! -d "$f" ] || { buildah rm --all </dev/null >&2 || exit; break; }
done`

/**
 * A cut build's source goes first, and what buildah left in its folder for temporary files; but not the folders that it
 * keeps there for `RUN --mount=type=cache` (BuildahCacheDir in its source).
 */
const fresh = `rm -rf ${contextDir} ${workDir}/source && mkdir -p ${contextDir} ${workDir}/tmp &&
find ${workDir}/tmp -mindepth 1 -maxdepth 1 ! -name 'buildah-cache*' -exec rm -rf {} + && cd ${contextDir}`

/** What can be done before there is a source: with many files it takes a while. */
export const freshCommand = ['sh', '-c', fresh]

const unpack: Record<SourceFormat, string> = {
  tar: `${fresh} && tar -x -f - >&2 || exit`,
  'tar.gz': `${fresh} && tar -x -z -f - >&2 || exit`,
  zip: `${fresh} && cat >../source && unzip -q -o ../source >&2 && rm ../source && chmod -R u+rwX . || exit`,
}

const findDockerfile = `cd "$1" 2>/dev/null || { echo none; echo "there is no folder $1"; exit 0; }
shift
n=0
for f; do
  [ ! -f "$f" ] || { echo $n; exit 0; }
  n=$((n + 1))
done
echo none
ls -A1`

/** Files of the source, a line each, for whoever has to find out what it is; what others made is no part of it. */
export const listCommand = [
  'sh',
  '-c',
  "find . -maxdepth 5 '(' -name node_modules -o -name .git -o -name .venv ')' -prune -o -type f -print | head -n 20000",
]

/**
 * The beginning of a file, in a form that lines can't spoil; fails for what is none, such as a pipe that nobody writes to.
 * A name of the source's own is never an option.
 */
export function readCommand(path: string): string[] {
  return ['sh', '-c', '[ -f "./$1" ] && head -c 262144 "./$1" | base64', 'sh', path]
}

export const generatedFile = '/run/Dockerfile'
export const generatedIgnoreFile = '/run/dockerignore'

/** What comes in at standard input becomes that file. */
export function writeCommand(path: string): string[] {
  return ['sh', '-c', 'cat >"$1"', 'sh', path]
}

export const hasIgnoreFileCommand = ['test', '-f', '.dockerignore']

export interface BuildCommandOptions {
  dockerfile: string
  /** In place of the source's .dockerignore. */
  ignoreFile?: string
  /** A repository where layers are looked for that the store has not. */
  cacheFrom?: string
  /** One where layers are left that the store has. */
  cacheTo?: string
}

export function buildCommand(spec: BuildSpec, options: BuildCommandOptions): string[] {
  const { dockerfile, ignoreFile, cacheFrom, cacheTo } = options
  const { target, args = {}, secrets = {}, labels = {}, timestamp, push } = spec
  const each = (flag: string, pairs: Record<string, string>) =>
    Object.entries(pairs).flatMap(([name, value]) => [flag, `${name}=${value}`])
  return [
    'buildah',
    'build',
    '--layers',
    '--force-rm',
    // CVE-2024-11218: two stages at once raced.
    '--jobs=1',
    `--authfile=${authFile}`,
    `--tls-verify=${push.insecure !== true}`,
    ...(timestamp === undefined ? [] : [`--timestamp=${Math.floor(timestamp.getTime() / 1_000)}`]),
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...each('--build-arg', args),
    ...each('--label', labels),
    ...Object.keys(secrets).flatMap((id, index) => ['--secret', `id=${id},src=${secretFile(index)}`]),
    ...(ignoreFile === undefined ? [] : [`--ignorefile=${ignoreFile}`]),
    ...(cacheFrom === undefined ? [] : [`--cache-from=${cacheFrom}`]),
    ...(cacheTo === undefined ? [] : [`--cache-to=${cacheTo}`]),
    '--file',
    dockerfile,
    '--tag',
    push.reference,
    '.',
  ]
}

function pushCommand({ reference, insecure }: PushTarget): string[] {
  return [
    'buildah',
    'push',
    '--quiet',
    `--authfile=${authFile}`,
    `--tls-verify=${insecure !== true}`,
    `--digestfile=${digestFile}`,
    reference,
    `docker://${reference}`,
  ]
}

/**
 * Pushes, and then prints the digest of what is in the registry, and how full the disk is: once a line comes in at
 * standard input, so that it can be begun before there is anything to push. Its end instead of a line is its own.
 */
export function pushAndTellCommand(push: PushTarget): string[] {
  const script = `read -r go || exit; "$@" </dev/null >&2 || exit; cat ${digestFile} && echo && df -P ${workDir} | tail -n 1`
  return ['sh', '-c', script, 'sh', ...pushCommand(push)]
}

const mostWaiting = 64

/**
 * Names of this machine mean the build's own container there, so what connects to them is passed on to the host.
 * Null for a registry that has a name of its own. busybox takes the number of `l` for how many connections may wait: it
 * must be more than buildah opens at once, since who finds no room tries again only a second later.
 */
export function relayCommand(reference: string, gateway: string): string[] | null {
  const found = /^(?:localhost|127\.0\.0\.1|[a-z0-9.-]+\.localhost)(?::(\d+))?\//.exec(reference)
  if (found === null) return null
  const port = found[1] ?? '80'
  return ['nc', `-${'l'.repeat(mostWaiting)}`, '-p', port, '-e', '/bin/nc', gateway, port]
}
