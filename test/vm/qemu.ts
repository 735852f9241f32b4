/** The command lines of virtual machines. Pure. Source: qemu-system-x86_64(1). */

/** With `tcg` each instruction is translated, which takes ten times as long. */
export type Accelerator = 'kvm' | 'tcg'

export interface Machine {
  accelerator: Accelerator
  kernel: string
  initramfs: string
  disk: string
  memoryMegabytes: number
  /** Folders of the host by the name under which the guest mounts them; `share` alone can be written to. */
  shares: Record<'host' | 'modules' | 'share', string>
}

/** One processor, no network, its console on standard output. */
export function qemuCommand(machine: Machine): string[] {
  const parameters = ['quiet', 'loglevel=4', 'cgroup_no_v1=all', 'rdinit=/init']
  return [
    ...bootCommand(machine.accelerator, machine.kernel, machine.memoryMegabytes, parameters),
    ...['-initrd', machine.initramfs],
    ...['-drive', `file=${machine.disk},if=virtio,format=raw,cache=unsafe`],
    ...['-device', 'virtio-rng-pci'],
    ...Object.entries(machine.shares).flatMap(([tag, path]) => {
      const access = tag === 'share' ? '' : ',readonly=on'
      return ['-virtfs', `local,path=${path},mount_tag=${tag},security_model=none,multidevs=remap${access}`]
    }),
  ]
}

/** A kernel without anything to start, which panics and so ends soon. */
export function trialCommand(accelerator: Accelerator, kernel: string): string[] {
  return bootCommand(accelerator, kernel, 256, ['quiet'])
}

function bootCommand(accelerator: Accelerator, kernel: string, megabytes: number, parameters: string[]) {
  return [
    'qemu-system-x86_64',
    ...['-accel', accelerator],
    ...['-cpu', accelerator === 'kvm' ? 'host' : 'max'],
    ...['-smp', '1', '-m', String(megabytes)],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    ...['-kernel', kernel, '-append', ['console=ttyS0', 'panic=-1', ...parameters].join(' ')],
  ]
}
