'use client'

import { Field } from '@base-ui/react/field'
import { type ComponentProps, type ReactNode, useState } from 'react'
import { cn } from './cn.ts'

export const controlStyle =
  'w-full rounded-lg border border-border-strong/60 bg-surface px-3 text-foreground placeholder:text-muted/80 transition-colors hover:border-border-strong disabled:opacity-60 data-invalid:border-danger focus-visible:outline-offset-0'

interface Common {
  label: ReactNode
  description?: ReactNode
  error?: string
  /** Says "optional" beside the label. */
  hint?: string
  className?: string
}

type TextFieldProps = Common &
  Omit<ComponentProps<'input'>, 'className' | 'defaultValue' | 'value' | 'onChange'> & {
    mono?: boolean
    value?: string
    defaultValue?: string
    onValueChange?: (value: string) => void
    /** Drawn at the end inside the control, such as a unit. */
    suffix?: ReactNode
  }

/** What is wrong with a field, until somebody mends it: nothing is wrong with what hasn't been looked at yet. */
function useError(
  given: string | undefined,
  value: string | undefined,
  onValueChange: ((value: string) => void) | undefined,
) {
  const [edited, setEdited] = useState(false)
  const [wrongValue, setWrongValue] = useState(value)
  const [last, setLast] = useState(given)
  // Each new answer is about what was sent last. At once, so that the form finds the field that it is to lead to.
  if (given !== last) {
    setLast(given)
    setEdited(false)
    setWrongValue(value)
  }
  return {
    error: edited || value !== wrongValue ? undefined : given,
    change: (value: string) => {
      setEdited(true)
      onValueChange?.(value)
    },
  }
}

/** A label, a control, words about it and what is wrong with it, tied together for screen readers. */
export function TextField(props: TextFieldProps) {
  const { label, description, error: given, hint, className, mono, suffix, onValueChange, ...input } = props
  const { error, change } = useError(given, props.value, onValueChange)
  return (
    <Field.Root invalid={error !== undefined} disabled={input.disabled} className={className}>
      <FieldLabel label={label} hint={hint} />
      <div className="relative">
        <Field.Control
          autoComplete="off"
          {...input}
          onValueChange={change}
          className={cn(
            controlStyle,
            'h-9',
            mono && 'font-mono text-[13px]',
            suffix !== undefined && 'pr-16',
          )}
        />
        {suffix !== undefined && (
          <span className="pointer-events-none absolute inset-y-0 right-3 flex items-center text-muted text-xs">
            {suffix}
          </span>
        )}
      </div>
      <FieldWords description={description} error={error} />
    </Field.Root>
  )
}

type TextAreaProps = Common &
  Omit<ComponentProps<'textarea'>, 'className' | 'onChange' | 'value' | 'defaultValue'> & {
    value?: string
    defaultValue?: string
    onValueChange?: (value: string) => void
    mono?: boolean
  }

export function TextAreaField(props: TextAreaProps) {
  const {
    label,
    description,
    error: given,
    hint,
    className,
    mono,
    onValueChange,
    value,
    defaultValue,
    ...area
  } = props
  const { error, change } = useError(given, value, onValueChange)
  return (
    <Field.Root invalid={error !== undefined} className={className}>
      <FieldLabel label={label} hint={hint} />
      <Field.Control
        value={value}
        defaultValue={defaultValue}
        onValueChange={change}
        render={<textarea rows={5} spellCheck={false} {...area} />}
        className={cn(controlStyle, 'block py-2', mono && 'font-mono text-[13px]')}
      />
      <FieldWords description={description} error={error} />
    </Field.Root>
  )
}

export function FieldLabel({ label, hint }: { label: ReactNode; hint?: string }) {
  return (
    <div className="mb-1.5 flex items-baseline justify-between gap-2">
      <Field.Label className="font-medium">{label}</Field.Label>
      {hint && <span className="text-muted text-xs">{hint}</span>}
    </div>
  )
}

export function FieldWords({ description, error }: { description?: ReactNode; error?: string }) {
  return (
    <>
      {error !== undefined && (
        <Field.Error match className="mt-1.5 text-danger text-[13px]">
          {error}
        </Field.Error>
      )}
      {description && error === undefined && (
        <Field.Description className="mt-1.5 text-muted text-[13px]">{description}</Field.Description>
      )}
    </>
  )
}

interface PasswordFieldProps extends Common {
  name: string
  autoComplete: 'current-password' | 'new-password' | 'off'
  showLabel: string
  hideLabel: string
  onValueChange?: (value: string) => void
}

export function PasswordField({ showLabel, hideLabel, ...props }: PasswordFieldProps) {
  const [shown, setShown] = useState(false)
  const { label, description, error: given, className, onValueChange, hint, ...input } = props
  const { error, change } = useError(given, undefined, onValueChange)
  return (
    <Field.Root invalid={error !== undefined} className={className}>
      <FieldLabel label={label} hint={hint} />
      <div className="relative">
        <Field.Control
          {...input}
          type={shown ? 'text' : 'password'}
          onValueChange={change}
          className={cn(controlStyle, 'h-9 pr-16')}
        />
        <button
          type="button"
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
          className="absolute inset-y-1 right-1 rounded-md px-2.5 font-medium text-muted text-xs hover:text-foreground"
        >
          {shown ? hideLabel : showLabel}
        </button>
      </div>
      <FieldWords description={description} error={error} />
    </Field.Root>
  )
}
