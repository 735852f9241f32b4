/** What takes in a push inside its container. Pure. Source: git-receive-pack(1), githooks(5), gitprotocol-http(5). */
import type { ContainerFile } from '../containers/containers.ts'
import { configFile, ownEnvironment, workDir } from './commands.ts'

export const repositoryDir = `${workDir}/repository`
export const hooksDir = '/usr/lib/git-hooks'
export const pushedFifo = '/run/pushed'
export const sayFifo = '/run/say'
const verdictFile = '/run/verdict'

/**
 * The one hook: tells where the new objects are and what is to change, shows what it is told until that ends, and does
 * as the verdict says.
 */
export const preReceive = `#!/bin/sh
{ echo "$GIT_OBJECT_DIRECTORY"; echo "$GIT_ALTERNATE_OBJECT_DIRECTORIES"; cat; } >${pushedFifo}
cat ${sayFifo} >&2
[ -f ${verdictFile} ] && exit 0
exit 1
`

export function pushFiles({ maxPackBytes }: { maxPackBytes: number }): ContainerFile[] {
  const content = [
    '[core]',
    `hooksPath = ${hooksDir}`,
    'fsmonitor = false',
    '[safe]',
    'directory = *',
    '[init]',
    'defaultBranch = main',
    '[transfer]',
    'fsckObjects = true',
    '[receive]',
    'fsckObjects = true',
    `maxInputSize = ${maxPackBytes}`,
    'denyDeletes = true',
    'shallowUpdate = false',
    'autogc = false',
    // Packs as they came: unpacked they take more room.
    'unpackLimit = 1',
    // The connection of a push that is built must not fall asleep.
    'keepAlive = 5',
    '[tar]',
    'umask = 0022',
    '[gc]',
    'auto = 0',
    'autoDetach = false',
    '[pack]',
    'threads = 1',
    'windowMemory = 64m',
    '',
  ].join('\n')
  return [{ target: configFile, content }]
}

/** What a repository says of its archives does not count: everything that is pushed is built. */
export const preparePushCommand = [
  'sh',
  '-c',
  `mkfifo ${pushedFifo} ${sayFifo} && git init -q --bare --template= ${repositoryDir} && mkdir -p ${repositoryDir}/info && echo '* -export-ignore -export-subst' >${repositoryDir}/info/attributes`,
]

export const advertiseCommand = ['git', 'receive-pack', '--stateless-rpc', '--advertise-refs', repositoryDir]

export const receiveCommand = ['git', 'receive-pack', '--stateless-rpc', repositoryDir]

export const acceptCommand = ['sh', '-c', `: >${verdictFile}`]

/** What comes in by standard input is shown to the client. */
export const sayCommand = ['sh', '-c', `cat >${sayFifo}`]

/**
 * All files of a commit; its objects may be in quarantine. Files get the time of the commit that is archived: one of our
 * own making has always the same, so that what did not change is found in a build's cache.
 */
export function packPushedCommand(sha: string): string[] {
  const script = 'made=$(git commit-tree -m archive "$1^{tree}") && exec git archive --format=tar "$made"'
  return ['sh', '-c', script, 'sh', sha]
}

const someone = { NAME: 'berth', EMAIL: 'berth@localhost', DATE: '315619200 +0000' }

/** Where the objects of a push are until it is taken. */
export function quarantine(objects: string, alternates: string): Record<string, string> {
  return {
    ...ownEnvironment,
    GIT_DIR: repositoryDir,
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: alternates,
    ...Object.fromEntries(
      Object.entries(someone).flatMap(([what, value]) => [
        [`GIT_AUTHOR_${what}`, value],
        [`GIT_COMMITTER_${what}`, value],
      ]),
    ),
  }
}

/** Many small packs make every push slower; what nothing refers to goes. */
export const tidyRepositoryCommand = [
  'sh',
  '-c',
  `cd ${repositoryDir} && rm -rf objects/tmp_objdir-* && [ "$(ls objects/pack | wc -l)" -lt 60 ] || git -c gc.auto=1 gc -q --prune=now`,
]
