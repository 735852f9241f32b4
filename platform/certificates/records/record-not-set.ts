/** A record could not be set or cleared: `message` says who did not let it, `field` what of the setting to look at. */
export class RecordNotSet extends Error {
  override readonly name = 'RecordNotSet'
  readonly field: string

  constructor(message: string, field: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.field = field
  }
}
