// A batch about as large as the server takes by default, 0.9 MB: metrics that say much of themselves.

const METRICS = 1000;
const TAGS = 24;

export function largeBody(): string {
  const tags = Object.fromEntries(
    Array.from({ length: TAGS }, (_, at) => [`tag_${at}`, `the value of tag ${at}`]),
  );
  const metrics = Array.from({ length: METRICS }, (_, value) => ({
    name: "requests_in_flight",
    value,
    tags,
  }));
  return JSON.stringify({ metrics });
}
