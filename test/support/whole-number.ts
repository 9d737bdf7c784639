// A number from the command line of a long run, or an end with 2 and what is wrong with it.

export function wholeNumber(flag: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  console.error(`cannot use ${flag} ${text} because it must be a whole number above 0`);
  process.exit(2);
}
