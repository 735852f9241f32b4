import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { acmeChallengePath } from '../../platform/model/certificates.ts'
import { challengePath } from '../../platform/model/domains.ts'
import type { EdgeAccess } from '../../platform/model/edge-access.ts'
import { registryTokenPath } from '../../platform/model/registry.ts'
import { terminalsPath } from '../../platform/model/terminal.ts'
import { terminalSocketName } from '../terminal/socket-name.ts'
import { letIn, userLists } from './access.ts'
import { certificateListPath } from './certificates.ts'
import { counting, openRequestsTable } from './counted.ts'
import { type PageLanguage, type PageName, pageFile, pageLanguages, pages } from './pages.ts'
import { lookUp, redirecting, takePrefixes } from './routes.ts'
import type { EdgeSettings } from './settings.ts'
import { dashboardToHttps, encrypted, encrypting, isEncrypted, sendToHttps, strictTransport } from './tls.ts'

/** Environment variable of HAProxy's own that says which structure a process was started with. */
export const structureVariable = 'BERTH_EDGE_STRUCTURE'

export interface Structure {
  /** All that the identity of the structure is made from. */
  parts: string[]
  /** The whole file; `serversOf` gives the server lines of an app's backend. */
  render(structureId: string, serversOf: (backend: string) => string[]): string
}

export interface StructureParts {
  strippedPrefixes?: readonly string[]
  /** File of the certificate for Berth's own name; null: nothing is encrypted. */
  ownCertificate?: string | null
  accesses?: ReadonlyMap<string, EdgeAccess>
}

/** The part of haproxy.cfg that needs a reload when it changes. HAProxy 2.6 configuration manual. */
export function structureOf(
  settings: EdgeSettings,
  appBackends: readonly string[],
  { strippedPrefixes = [], ownCertificate = null, accesses = new Map() }: StructureParts = {},
): Structure {
  const render: Structure['render'] = (structureId, serversOf) =>
    [
      '# Written by the worker; what is changed here by hand is lost.',
      ...global(settings, structureId),
      ...frontend(settings, strippedPrefixes, ownCertificate),
      ...openRequestsTable(),
      ...dashboard(settings),
      ...redirecting(settings),
      ...Object.values(pageBackends(settings)).flat(),
      ...userLists(accesses),
      ...apps(settings, appBackends, serversOf, accesses),
      '',
    ].join('\n')
  const pageTexts = Object.values(pages).flatMap((page) => pageLanguages.map((language) => page[language]))
  return { parts: [render('', () => []), ...pageTexts], render }
}

/** Of a process that was replaced, and only then, it has an entry: see `successor`. */
export const handoverKey = 'handover'

export function handoverPath(settings: EdgeSettings): string {
  return join(settings.folder, 'handover.map')
}

/** In the abstract namespace, since HAProxy as nobody need not reach the state folder. Containers can't see it. */
function handoverSocket(settings: EdgeSettings, encrypted = false): string {
  const home = createHash('sha256').update(settings.folder).digest('hex').slice(0, 16)
  return `abns@berth-edge-${home}${encrypted ? '-tls' : ''}`
}

const challengePaths = [challengePath, acmeChallengePath]

export function hostsPath(settings: EdgeSettings): string {
  return join(settings.folder, 'hosts.map')
}

function global(settings: EdgeSettings, structureId: string): string[] {
  return [
    'global',
    '    nbthread 2',
    `    maxconn ${settings.maxConnections}`,
    ...(settings.dropPrivileges ? ['    uid 65534', '    gid 65534'] : []),
    `    stats socket ${settings.statsSocket} mode 600 level admin expose-fd listeners`,
    // After a reload the old process lives on as long as somebody is connected to it, but not for ever.
    '    hard-stop-after 1h',
    `    setenv ${structureVariable} ${structureId}`,
    ...encrypting,
    '',
    'defaults',
    '    mode http',
    '    timeout connect 5s',
    // Time for the headers alone; bodies and answers may flow slowly.
    '    timeout http-request 15s',
    '    timeout http-keep-alive 60s',
    `    timeout client ${settings.answerTimeoutMs}ms`,
    `    timeout server ${settings.answerTimeoutMs}ms`,
    '    timeout client-fin 30s',
    '    timeout server-fin 30s',
    '    timeout queue 30s',
    // WebSockets.
    '    timeout tunnel 1h',
    '    option abortonclose',
    // What a dead replica refused is asked of another one at once.
    '    option redispatch',
    '    retries 3',
    // A server may close an idle connection at the moment at which it is used again: what is safe to send twice is.
    '    retry-on conn-failure empty-response',
    '    option dontlognull',
    '',
  ]
}

function frontend(
  settings: EdgeSettings,
  strippedPrefixes: readonly string[],
  ownCertificate: string | null,
): string[] {
  const names = [...new Set([settings.dashboardHost, 'localhost'])].join(' ')
  return [
    'frontend public',
    `    bind *:${settings.port}`,
    ...encrypted(settings, ownCertificate, certificateListPath(settings)),
    `    bind ${handoverSocket(settings)} accept-proxy`,
    `    bind ${handoverSocket(settings, true)} name tls accept-proxy`,
    `    acl encrypted ${isEncrypted}`,
    // Idle connections are closed at their next answer when a process is replaced, never in a client's face.
    '    option idle-close-on-response',
    // Idempotent methods, RFC 9110 9.2.2. What was only refused is sent again whatever it is: nobody has had it.
    '    http-request disable-l7-retry unless { method GET HEAD OPTIONS TRACE PUT DELETE }',
    '    http-request set-header X-Berth-Edge 1',
    '    http-request del-header Forwarded',
    '    http-request set-header X-Forwarded-For %[src]',
    '    http-request set-header X-Real-IP %[src]',
    '    http-request set-header X-Forwarded-Proto http',
    '    http-request set-header X-Forwarded-Proto https if encrypted',
    '    http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    '    http-request set-header X-Forwarded-Port %[dst_port]',
    '    http-request set-var(txn.host) req.hdr(host),host_only,lower,regsub(\\.$,)',
    ...lookUp(settings, hostsPath(settings)),
    `    acl handover str(${handoverKey}),map(${handoverPath(settings)}) -m found`,
    `    acl challenge path_reg ^(${challengePaths.join('|').replaceAll('.', '[.]')})[A-Za-z0-9_-]+$`,
    ...counting(settings, ['handover', 'challenge']),
    ...sendToHttps(settings),
    ...strictTransport,
    ...takePrefixes(strippedPrefixes, 'handover'),
    `    acl dashboard var(txn.host) -m str ${names}`,
    // By address: 192.0.2.1, [2001:db8::1].
    '    acl dashboard var(txn.host) -m reg ^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+$ ^\\[',
    ...(ownCertificate === null ? [] : dashboardToHttps(settings)),
    '    acl registry path -m str /v2',
    '    acl registry path -m beg /v2/',
    // Berth deletes images itself: it knows what runs.
    '    acl image-delete path_reg ^/v2/.+/manifests/[^/]+$',
    '    use_backend successor-tls if handover encrypted',
    '    use_backend successor if handover',
    // What shows that a name leads here, before it leads to anything.
    '    use_backend web if challenge',
    '    use_backend git if dashboard { path -m beg /git/ }',
    '    use_backend web if dashboard registry image-delete METH_DELETE',
    '    use_backend registry if dashboard registry',
    `    use_backend registry-token if dashboard { path ${registryTokenPath} }`,
    `    use_backend terminal if dashboard { path_beg ${terminalsPath} }`,
    '    use_backend web if dashboard',
    '    use_backend %[var(txn.backend)] if { var(txn.backend) -m found }',
    '    default_backend page-unknown',
    '',
  ]
}

function dashboard(settings: EdgeSettings): string[] {
  return [
    'backend web',
    ...gatewayErrors(settings, 'web'),
    `    server web 127.0.0.1:${settings.webPort}`,
    '',
    // WebSockets to what runs in containers, which the worker serves itself.
    'backend terminal',
    ...gatewayErrors(settings, 'web'),
    `    server terminal abns@${terminalSocketName(settings.folder)}`,
    '',
    // Its clients are programs: they get plain errors, and no answer comes from here that looks like a page.
    'backend registry',
    `    server registry abns@${settings.registrySocket}`,
    '',
    'backend registry-token',
    `    server token abns@${settings.registryTokenSocket}`,
    '',
    // Pushes, whose answers last as long as their deployments; git is told plainly when the worker is away.
    'backend git',
    '    no option abortonclose',
    `    server git abns@${settings.gitSocket}`,
    '',
    // A process that was replaced keeps the connections of its clients, but its servers can't be changed any more: it
    // hands what they ask to the process that came after it, with the client's own address.
    'backend successor',
    `    server successor ${handoverSocket(settings)} send-proxy-v2`,
    '',
    // What came encrypted arrives there as such.
    'backend successor-tls',
    `    server successor ${handoverSocket(settings, true)} send-proxy-v2`,
    '',
  ]
}

function apps(
  settings: EdgeSettings,
  backends: readonly string[],
  serversOf: (backend: string) => string[],
  accesses: ReadonlyMap<string, EdgeAccess>,
): string[] {
  return backends.flatMap((backend) => [
    `backend ${backend}`,
    '    balance leastconn',
    ...letIn(backend, accesses.get(backend)),
    ...gatewayErrors(settings, 'app'),
    ...serversOf(backend),
    '',
  ])
}

/** Pages for what HAProxy finds out itself: nobody accepts connections, a broken answer, none in time. */
function gatewayErrors(settings: EdgeSettings, of: 'app' | 'web'): string[] {
  const page: Record<number, PageName> =
    of === 'web' ? { 503: 'starting', 504: 'timeout' } : { 502: 'broken', 503: 'silent', 504: 'timeout' }
  return Object.entries(page).map(
    ([status, name]) =>
      `    http-error status ${status} ${answer(settings, name, 'both')} hdr Cache-Control no-store`,
  )
}

function pageBackends(settings: EdgeSettings): Record<string, string[]> {
  const status = { unknown: 404, stopped: 503, deploying: 503, failed: 503 } as const
  return Object.fromEntries(
    Object.entries(status).map(([name, code]) => [
      name,
      [
        `backend page-${name}`,
        // The one that is liked better: zh stands for zh-CN and zh-Hans-CN as well.
        '    acl chinese req.fhdr(accept-language),language(zh;en) -m str zh',
        ...(['zh-CN', 'en'] as const).map(
          (language) =>
            `    http-request return status ${code} ${answer(settings, name as PageName, language)} hdr Cache-Control no-store` +
            ` hdr Vary Accept-Language hdr Content-Language ${language}` +
            (name === 'deploying' ? ' hdr Retry-After 2' : '') +
            (language === 'zh-CN' ? ' if chinese' : ''),
        ),
        '',
      ],
    ]),
  )
}

function answer(settings: EdgeSettings, page: PageName, language: PageLanguage): string {
  return `content-type "text/html; charset=utf-8" file ${join(settings.folder, pageFile(page, language))}`
}
