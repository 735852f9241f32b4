/** What a build runs inside its container. Pure. Source: buildah-build(1), buildah-push(1). */
import type { BuildSpec, PushTarget, SourceFormat } from './builder.ts'

/** The build's disk: buildah's store and its knowledge of registries are below it by their usual names. */
export const workDir = '/var/lib/containers'
export const contextDir = `${workDir}/context`
export const authFile = '/build/auth.json'
export const digestFile = '/run/digest'
export const secretFile = (index: number) => `/build/secret-${index}`

export const environment = {
  STORAGE_DRIVER: 'overlay',
  BUILDAH_ISOLATION: 'chroot',
  TMPDIR: `${workDir}/tmp`,
  PATH: '/usr/bin:/bin',
  HOME: '/root',
}

/** Where the archive comes in at standard input. A cut build's source goes first. */
export function unpackCommand(format: SourceFormat): string[] {
  const fresh = `rm -rf ${contextDir} ${workDir}/tmp ${workDir}/source && mkdir -p ${contextDir} ${workDir}/tmp && cd ${contextDir}`
  switch (format) {
    case 'tar':
      return ['sh', '-c', `${fresh} && exec tar -x -f -`]
    case 'tar.gz':
      return ['sh', '-c', `${fresh} && exec tar -x -z -f -`]
    case 'zip':
      return [
        'sh',
        '-c',
        `${fresh} && cat >../source && unzip -q -o ../source && rm ../source && chmod -R u+rwX .`,
      ]
  }
}

/** Takes away what a build that was killed left in buildah's store. */
export const tidyCommand = [
  'sh',
  '-c',
  `cd ${workDir}/storage/overlay-containers 2>/dev/null || exit 0; for f in */; do [ ! -d "$f" ] || exec buildah rm --all; done`,
]

/** Prints which Dockerfile there is, seen from the source's folder; exits with 1 when there is none. */
export function findDockerfileCommand({ folder, dockerfile }: BuildSpec): string[] {
  const names = dockerfile === undefined ? ['Dockerfile', 'Containerfile'] : [dockerfile]
  const script =
    'cd "$1" || exit 1; shift; for f; do [ -f "$f" ] && echo "$f" && exit 0; done; ls -A1; exit 1'
  return ['sh', '-c', script, 'sh', folder ?? '.', ...names]
}

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
}

export function buildCommand(spec: BuildSpec, { dockerfile, ignoreFile }: BuildCommandOptions): string[] {
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
    '--file',
    dockerfile,
    '--tag',
    push.reference,
    '.',
  ]
}

export function pushCommand({ reference, insecure }: PushTarget): string[] {
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

/** Percent of the disk that is used, and whether there are layers of earlier builds. */
export const diskCommand = [
  'sh',
  '-c',
  `df -P ${workDir} | tail -n 1; ls -d ${workDir}/storage/overlay-images/*/ 2>/dev/null; true`,
]

/**
 * Names of this machine mean the build's own container there, so what connects to them is passed on to the host.
 * Null for a registry that has a name of its own.
 */
export function relayCommand(reference: string, gateway: string): string[] | null {
  const found = /^(?:localhost|127\.0\.0\.1|[a-z0-9.-]+\.localhost)(?::(\d+))?\//.exec(reference)
  if (found === null) return null
  const port = found[1] ?? '80'
  return ['nc', '-ll', '-p', port, '-e', '/bin/nc', gateway, port]
}
