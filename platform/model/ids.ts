/** Prefixes of the ids of each noun. */
export const idPrefixes = {
  user: 'usr',
  session: 'ses',
  team: 'team',
  project: 'prj',
  environment: 'env',
  app: 'app',
  deployment: 'dep',
  step: 'step',
  container: 'ctr',
  host: 'hst',
  domain: 'dom',
  certificate: 'crt',
  variable: 'var',
  variableVersion: 'vrv',
  volume: 'vol',
  volumeSnapshot: 'vsn',
  cronJob: 'cron',
  run: 'run',
  repository: 'repo',
  push: 'push',
  'registry-login': 'rlg',
  'registry-refresh': 'rrt',
  token: 'tok',
  audit: 'aud',
  invitation: 'inv',
  identity: 'idy',
  linkRequest: 'lnk',
  mail: 'mail',
  appEvent: 'evt',
  notificationChannel: 'nch',
  notificationDelivery: 'ndl',
  logDrain: 'drn',
  request: 'req',
} as const

export type IdKind = keyof typeof idPrefixes

/** Crockford's base 32 in lower case: no i, l, o or u, safe in host names, file names and URLs. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * A new id such as `app_01jd3k…`: 10 characters of milliseconds since 1970, then 12 of randomness (60 bits).
 * Ids of one kind sort by the time they were made.
 */
export function newId(kind: IdKind, nowMs: number = Date.now()): string {
  let time = ''
  for (let rest = nowMs, i = 0; i < 10; i++) {
    time = alphabet.charAt(rest % 32) + time
    rest = Math.floor(rest / 32)
  }
  const random = crypto.getRandomValues(new Uint8Array(12))
  let tail = ''
  for (const byte of random) tail += alphabet.charAt(byte % 32)
  return `${idPrefixes[kind]}_${time}${tail}`
}

/** Whether text has the shape of an id of this kind. Says nothing about whether it exists. */
export function isId(kind: IdKind, text: string): boolean {
  return new RegExp(`^${idPrefixes[kind]}_[0-9a-hjkmnp-tv-z]{22}$`).test(text)
}
