/** Lines of haproxy.cfg that have to do with HTTPS. */
import { terminalsPath } from '../../platform/model/terminal.ts'
import type { EdgeSettings } from './settings.ts'

/** Mozilla's intermediate profile, version 5.7: TLS 1.2 with forward secrecy alone, and 1.3. */
export const encrypting = [
  '    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets prefer-client-ciphers',
  '    ssl-default-bind-ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
  '    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
]

/** Of the listeners, not of the connection: what an earlier process hands over arrives decrypted. */
export const isEncrypted = 'so_name tls'

/** The certificate that is named first is for whoever asks for a name that is not here, or for none. */
export function encrypted(settings: EdgeSettings, own: string | null, list: string): string[] {
  if (settings.httpsPort === null || own === null) return []
  return [`    bind *:${settings.httpsPort} name tls ssl crt ${own} crt-list ${list} alpn h2,http/1.1`]
}

/** Challenges are asked for by HTTP, whatever a name's owner wants of its visitors. */
export function sendToHttps({ httpsPort }: EdgeSettings): string[] {
  if (httpsPort === null) return []
  return [
    `    http-request redirect location https://%[var(txn.host)]${portOf(httpsPort)}%[pathq] code 308 if !encrypted !challenge !handover { var(txn.transport) -m beg redirect: }`,
  ]
}

/**
 * Pages alone: programs that speak to the API, the registry and Git by HTTP go on, and hooks are not lost. HTTP on this
 * machine is reached by localhost, or by an address.
 */
export function dashboardToHttps({ httpsPort, dashboardHost, ...settings }: EdgeSettings): string[] {
  if (httpsPort === null || !settings.dashboardToHttps) return []
  return [
    `    http-request redirect location https://${dashboardHost}${portOf(httpsPort)}%[pathq] code 308 if !encrypted !challenge !handover METH_GET { var(txn.host) -m str ${dashboardHost} } !{ path_beg /api/ /v2 /git/ ${terminalsPath} }`,
  ]
}

function portOf(httpsPort: number): string {
  return httpsPort === 443 ? '' : `:${httpsPort}`
}

/** On every answer, pages of the edge's own included; and by HTTPS alone, RFC 6797 7.2. */
export const strictTransport = [
  `    http-after-response set-header Strict-Transport-Security max-age=%[var(txn.transport),word(2,:)] if { ${isEncrypted} } { var(txn.transport) -m reg :[0-9]+$ }`,
]
