/** What git runs inside its container. Pure. Source: git-config(1), git-fetch(1), gitcredentials(7), ssh_config(5). */
import type { ContainerFile } from '../containers/containers.ts'
import type { GitRef, Remote } from './git.ts'

export const workDir = '/work'
export const sourceDir = `${workDir}/source`
export const certificatesFile = '/etc/ssl/certs/ca-certificates.crt'
export const knownHostsFile = '/run/known_hosts'
export const configFile = '/git/config'
const sshConfigFile = '/git/ssh-config'
const keyFile = '/git/key'
const passwordFile = '/git/password'
const givenHostsFile = '/git/known-hosts'
const authorityFile = '/git/authority'

/** Of all work: no configuration counts but its own, and nobody is asked anything. */
export const ownEnvironment = {
  PATH: '/usr/bin:/bin',
  HOME: '/run',
  LC_ALL: 'C.UTF-8',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: configFile,
  GIT_TERMINAL_PROMPT: '0',
}

export const environment = {
  ...ownEnvironment,
  GIT_SSH_COMMAND: `/usr/bin/ssh -F ${sshConfigFile}`,
  GIT_SSH_VARIANT: 'ssh',
  // What the host of a repository says, such as "redirected", may name no other protocol.
  GIT_ALLOW_PROTOCOL: 'https:ssh',
  GIT_LFS_SKIP_PUSH: '1',
}

/** Files that the container is given: git's and ssh's whole configuration, and what they sign in with. */
export function filesFor(remote: Remote, { lfs = false }: { lfs?: boolean } = {}): ContainerFile[] {
  const { credentials, sshKey, hostKeys = [], ca } = remote
  const url = new URL(remote.url)
  const file = (target: string, content: string | undefined): ContainerFile[] =>
    content === undefined ? [] : [{ target, content }]
  return [
    { target: configFile, content: configText(remote, lfs) },
    ...file(
      passwordFile,
      credentials && `username=${credentials.username}\npassword=${credentials.password}\n`,
    ),
    ...file(authorityFile, ca),
    ...(url.protocol !== 'ssh:'
      ? []
      : [
          { target: sshConfigFile, content: sshConfigText(remote) },
          ...file(keyFile, sshKey),
          ...file(
            givenHostsFile,
            hostKeys.length === 0 ? undefined : hostKeys.map((key) => `${hostOf(url)} ${key}\n`).join(''),
          ),
        ]),
  ]
}

function configText({ url: text, addresses = [], credentials, ca }: Remote, lfs: boolean): string {
  const url = new URL(text)
  const port = url.port === '' ? '443' : url.port
  const pinned = addresses.map((address) => (address.includes(':') ? `[${address}]` : address)).join(',')
  return [
    '[core]',
    'hooksPath = /dev/null',
    'fsmonitor = false',
    'askPass = ""',
    '[safe]',
    'directory = *',
    '[init]',
    'defaultBranch = main',
    '[advice]',
    'detachedHead = false',
    '[gc]',
    'auto = 0',
    '[protocol]',
    'version = 2',
    'allow = never',
    '[protocol "https"]',
    'allow = always',
    '[protocol "ssh"]',
    'allow = always',
    '[transfer]',
    'fsckObjects = true',
    '[fetch "fsck"]',
    // Of no danger, and met in old repositories.
    ...['zeroPaddedFilemode', 'missingSpaceBeforeDate', 'badTimezone', 'missingEmail'].map(
      (what) => `${what} = ignore`,
    ),
    '[http]',
    `sslCAInfo = ${ca === undefined ? certificatesFile : `${workDir}/authorities`}`,
    'lowSpeedLimit = 100',
    'lowSpeedTime = 60',
    ...(pinned === '' || url.protocol !== 'https:'
      ? []
      : [`curloptResolve = ${url.hostname}:${port}:${pinned}`]),
    ...(credentials === undefined
      ? []
      : [
          `[credential "${url.protocol}//${url.host}"]`,
          `helper = "!f() { test \\"$1\\" = get && cat ${passwordFile}; }; f"`,
        ]),
    ...(lfs
      ? [
          '[filter "lfs"]',
          'clean = git-lfs clean -- %f',
          'smudge = git-lfs smudge -- %f',
          'process = git-lfs filter-process',
          'required = true',
          '[lfs]',
          'activityTimeout = 60',
          '[lfs "transfer"]',
          'maxRetries = 3',
          'maxRetryDelay = 2',
        ]
      : []),
    '',
  ].join('\n')
}

function sshConfigText({ url: text, addresses = [], hostKeys = [] }: Remote): string {
  const host = hostOf(new URL(text))
  const [address] = addresses
  return [
    `Host ${host}`,
    ...(address === undefined ? [] : [`  HostName ${address}`]),
    `  HostKeyAlias ${host}`,
    ...(hostKeys.length > 0
      ? [`  UserKnownHostsFile ${givenHostsFile}`, '  StrictHostKeyChecking yes']
      : [`  UserKnownHostsFile ${knownHostsFile}`, '  StrictHostKeyChecking accept-new']),
    'Host *',
    '  StrictHostKeyChecking yes',
    '  UserKnownHostsFile /dev/null',
    '  GlobalKnownHostsFile /dev/null',
    `  IdentityFile ${keyFile}`,
    '  IdentitiesOnly yes',
    '  PreferredAuthentications publickey',
    '  BatchMode yes',
    '  ConnectTimeout 20',
    '  ServerAliveInterval 15',
    '  UpdateHostKeys no',
    '  HashKnownHosts no',
    '  LogLevel ERROR',
    '',
  ].join('\n')
}

const hostOf = (url: URL) => url.hostname.replace(/^\[|\]$/g, '')

/** An authority of one's own is asked beside the others. */
export const prepareCommand = [
  'sh',
  '-c',
  `if [ -f ${authorityFile} ]; then cat ${certificatesFile} ${authorityFile} >${workDir}/authorities; fi; git init -q ${sourceDir}`,
]

const refName = ({ kind, name }: GitRef) =>
  kind === 'branch' ? `refs/heads/${name}` : kind === 'tag' ? `refs/tags/${name}` : name

export function fetchCommand({ url }: Remote, ref: GitRef | string): string[] {
  const what = typeof ref === 'string' ? ref : refName(ref)
  return [
    'git',
    'fetch',
    '--depth=1',
    '--no-tags',
    '--no-recurse-submodules',
    '--no-write-commit-graph',
    '--',
    url,
    what,
  ]
}

export const checkOutCommand = ['git', 'checkout', '-q', '--detach', 'FETCH_HEAD']

/** Addresses of submodules may be relative to it, and LFS keeps its files there. */
export function nameRemoteCommand({ url }: Remote): string[] {
  return ['git', 'remote', 'add', 'origin', url]
}

export const submodulesCommand = [
  'sh',
  '-c',
  '[ -f .gitmodules ] || exit 0; exec git submodule update --init --recursive --depth=1',
]

export function commitCommand(what: string): string[] {
  return ['git', 'log', '-1', '--no-show-signature', '--format=%H%n%cI%n%an%n%s', what]
}

/** All files have the same time, so that what did not change is found in a build's cache. */
export const packCommand = [
  'sh',
  '-c',
  'find . -name .git -prune -exec rm -rf {} + && find . -exec touch -h -d "1980-01-02 00:00" {} + && exec tar -c -f - .',
]

/** Of a tag that is an object of its own, the commit that it names comes with ^{} behind it. */
export function listCommand({ url }: Remote, ref: GitRef): string[] {
  const name = refName(ref)
  return ['git', 'ls-remote', '--quiet', '--', url, name, ...(ref.kind === 'tag' ? [`${name}^{}`] : [])]
}

export function changedCommand(since: string, sha: string): string[] {
  return ['git', 'diff', '--name-only', '--no-renames', '-z', since, sha]
}
