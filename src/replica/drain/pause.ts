// A wait that is nobody's: it ends by itself, and soon.

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
