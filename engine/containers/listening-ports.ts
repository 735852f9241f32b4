import { readFile } from 'node:fs/promises'

const listening = '0A'
const loopback6 = '00000000000000000000000001000000'
const mapped4 = '0000000000000000FFFF0000'

/** Which sockets: those that others reach, or those on loopback, which only the container itself does. */
export type ListeningOn = 'network' | 'loopback'

/** TCP ports in the text of /proc/PID/net/tcp or tcp6 that listen there. Source: proc(5). */
export function parseListeningPorts(text: string, on: ListeningOn = 'network'): number[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => state === listening)
    .map(([, local = '']) => local.split(':'))
    .filter(([address = '']) => isLoopback(address) === (on === 'loopback'))
    .map(([, port = '']) => Number.parseInt(port, 16))
}

/** Addresses stand there in the order of the machine's bytes, four at a time. */
function isLoopback(address: string): boolean {
  if (address === loopback6) return true
  const last4 = address.startsWith(mapped4) ? address.slice(mapped4.length) : address
  return last4.length === 8 && last4.endsWith('7F')
}

/** Ports of all sockets in the network namespace of a process, lowest first; none if it is gone. */
export async function listeningPortsOf(pid: number, on: ListeningOn = 'network'): Promise<number[]> {
  const texts = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  )
  return [...new Set(texts.flatMap((text) => parseListeningPorts(text, on)))].sort((a, b) => a - b)
}
