import { closeSync, openSync } from 'node:fs'
import { runFor } from './processes.ts'
import { type Accelerator, trialCommand } from './qemu.ts'

const trialMs = 10_000

/**
 * Tries it out: on a host that is a virtual machine itself, /dev/kvm may be there and a guest stand still all the same,
 * or qemu end at once.
 */
export async function chooseAccelerator(kernel: string): Promise<Accelerator> {
  try {
    closeSync(openSync('/dev/kvm', 'r+'))
  } catch {
    return 'tcg'
  }
  const { isGood, ending } = await runFor(trialCommand('kvm', kernel), { limitMs: trialMs, isShown: false })
  if (!isGood) console.log(`/dev/kvm is there, but a kernel does not boot by it: ${ending}`)
  return isGood ? 'kvm' : 'tcg'
}
