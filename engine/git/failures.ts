/** Why git did not get what was asked for, from its last words. Pure. */
import { GitFailure, type GitFailureReason } from './git.ts'

/** Of git 2.39 with libcurl, and of OpenSSH 9.2. The first that fits. */
const signs: [GitFailureReason, RegExp][] = [
  ['disk-full', /no space left on device|disk quota exceeded/i],
  [
    'host-key',
    /host key verification failed|remote host identification has changed|no .* host key is known/i,
  ],
  ['certificate', /certificate|SSL|TLS|gnutls/i],
  ['ref-missing', /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i],
  [
    'denied',
    /authentication failed|could not read (username|password)|permission denied|repository .*not found|error: 40[134]|access denied|invalid username|does not appear to be a git repository|please make sure you have the correct access rights/i,
  ],
  [
    'unreachable',
    /could not resolve|failed to connect|couldn't connect|connection (refused|timed out|reset|closed)|no route to host|network is unreachable|operation timed out|operation too slow/i,
  ],
]

export function reasonOf(lines: readonly string[]): GitFailureReason {
  const text = lines.join('\n')
  return signs.find(([, sign]) => sign.test(text))?.[0] ?? 'failed'
}

/** What git said in the end, in one line. */
export function lastWords(lines: readonly string[]): string {
  const said = lines.filter((line) =>
    /^(fatal|error|remote|ssh|.*@.*): |Permission denied|host key is known for|verification failed/i.test(
      line,
    ),
  )
  const [first = 'it said nothing'] = said.length > 0 ? said : lines.slice(-1)
  return first.replace(/^(fatal|error|remote): /i, '').slice(0, 500)
}

export const timedOut = (message: string) => new GitFailure('timeout', message)
