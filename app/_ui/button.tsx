import { cva, type VariantProps } from 'class-variance-authority'
import { LoaderCircle } from 'lucide-react'
import Link from 'next/link'
import type { ComponentProps } from 'react'
import { cn } from './cn.ts'

export const buttonStyle = cva(
  'inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-lg font-medium text-sm transition-colors disabled:opacity-55 aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      tone: {
        primary: 'bg-accent text-accent-foreground hover:bg-accent-hover',
        secondary: 'border border-border bg-surface text-foreground shadow-card hover:bg-sunken',
        ghost: 'text-muted hover:bg-sunken hover:text-foreground',
        danger: 'bg-danger-fill text-white hover:bg-danger-fill-hover',
      },
      size: { small: 'h-8 px-2.5', medium: 'h-9 px-3.5', icon: 'size-8' },
    },
    defaultVariants: { tone: 'secondary', size: 'medium' },
  },
)

type Style = VariantProps<typeof buttonStyle>

interface ButtonProps extends ComponentProps<'button'>, Style {
  /** Shows that it works, and keeps it from being pressed again; its name stays. */
  pending?: boolean
}

export function Button({ tone, size, pending, className, children, disabled, ...props }: ButtonProps) {
  return (
    <button
      type="button"
      {...props}
      disabled={disabled === true || pending === true}
      aria-busy={pending || undefined}
      className={cn(buttonStyle({ tone, size }), className)}
    >
      {pending && <LoaderCircle aria-hidden className="animate-spin" />}
      {children}
    </button>
  )
}

export function ButtonLink({ tone, size, className, ...props }: ComponentProps<typeof Link> & Style) {
  return <Link {...props} className={cn(buttonStyle({ tone, size }), className)} />
}
