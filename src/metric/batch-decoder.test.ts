import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TIMESTAMP_MS_MAX } from "../limits.ts";
import { linesBytesMax } from "./batch-decoder.ts";
import { client, decode, decoder, encoder, METRICS_MAX, NAMED, one, RECEIVED_AT_MS } from "./decode-bed.ts";

describe("a batch becomes canonical lines", () => {
  test("with every field, in the order of the line", () => {
    const body =
      '{"metrics":[{"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"timestamp":1763890000000}]}';
    assert.deepEqual(decode(body), [
      '{"ts":1763890000000,"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"client":"agent-1"}',
    ]);
  });

  test("with defaults for what is absent", () => {
    assert.deepEqual(decode(one(NAMED)), [
      '{"ts":1763890000123,"name":"a","value":1,"type":"gauge","tags":{},"client":"agent-1"}',
    ]);
  });

  test("whatever the order of keys, white space and escapes", () => {
    const canonical = decode(
      one('"name":"cpu","value":-1.50,"type":"summary","tags":{"a":"b"},"timestamp":7'),
    );
    const tags = ' \n"t\\u0061gs" : { "\\u0061" :\t"b" }';
    const body = ` {\r"metr\\u0069cs" : [ {"timestamp" :7,${tags} , "type": "s\\u0075mmary","value":-1.50 ,"name":"\\u0063pu"} ] } `;
    assert.deepEqual(decode(body), canonical);
    assert.equal(canonical.length, 1);
  });

  test("both ways of reading a metric write the same bytes", () => {
    const fields = [
      '"name":"a.b"',
      '"value":-0.25',
      '"type":"counter"',
      '"tags":{"x":"1","y":"2"}',
      '"timestamp":1763890000001',
    ];
    for (let mask = 0; mask < 8; mask++) {
      const chosen = fields.filter((_, index) => index < 2 || (mask & (1 << (index - 2))) !== 0);
      assert.deepEqual(decode(one(` ${chosen.join(" , ")} `)), decode(one(chosen.join(","))));
    }
  });

  test("a number is kept as it was written", () => {
    for (const value of [
      "0",
      "-0",
      "1.0",
      "1E5",
      "1e+05",
      "0.1e-400",
      "123456789012345678901234567890",
      `1${"0".repeat(308)}`,
    ])
      assert.deepEqual(decode(one(`"name":"a","value":${value}`)), [
        `{"ts":1763890000123,"name":"a","value":${value},"type":"gauge","tags":{},"client":"agent-1"}`,
      ]);
  });

  test("equal strings are equal bytes", () => {
    const spellings: [string, string][] = [
      ["\\/\\u002F", "//"],
      ["\\u00e9\\u00E9é", "ééé"],
      ["\\ud83d\\ude00😀", "😀😀"],
      ["\\u0022\\u005c\\u005C", '\\"\\\\\\\\'],
      ["\\u0008\\u000c\\u000a\\u000d\\u0009\\b\\f\\n\\r\\t", "\\b\\f\\n\\r\\t\\b\\f\\n\\r\\t"],
      ["\\u0000\\u001F\\u007f\\u2028", "\\u0000\\u001f\x7f\u2028"],
    ];
    for (const [sent, stored] of spellings)
      assert.deepEqual(decode(one(`"name":"${sent}","value":1,"tags":{"${sent}":"${sent}"}`)), [
        `{"ts":1763890000123,"name":"${stored}","value":1,"type":"gauge","tags":{"${stored}":"${stored}"},"client":"agent-1"}`,
      ]);
  });

  test("a name is counted in code points", () => {
    for (const name of ["a".repeat(255), "é".repeat(255), "😀".repeat(255), "\\ud83d\\ude00".repeat(255)])
      assert.equal(decode(one(`"name":"${name}","value":1`)).length, 1);
    for (const name of ["a".repeat(256), "é".repeat(256), "\\u0061".repeat(256), "😀".repeat(256)])
      assert.equal(
        decode(one(`"name":"${name}","value":1`)),
        "batch: metrics[0].name: must have at most 255 characters",
      );
  });

  test("__proto__ is a tag like any other", () => {
    const [line] = decode(one(`${NAMED},"tags":{"__proto__":"x","constructor":"y"}`)) as string[];
    assert.match(line!, /"tags":\{"__proto__":"x","constructor":"y"\}/);
  });

  test("its first and last timestamps are reported", () => {
    const times = [5, 1763890000000, 0, undefined, TIMESTAMP_MS_MAX];
    const bytes = encoder.encode(
      `{"metrics":[${times.map((time) => `{${NAMED}${time === undefined ? "" : `,"timestamp":${time}`}}`).join(",")}]}`,
    );
    const out = new Uint8Array(linesBytesMax(bytes.length, METRICS_MAX, client.length));
    assert.equal(decoder.decode(bytes, 0, bytes.length, out, 0, RECEIVED_AT_MS, client), 5);
    assert.equal(decoder.timestampMsFirst, 0);
    assert.equal(decoder.timestampMsLast, TIMESTAMP_MS_MAX);
    for (const receivedAtMs of [1, 9])
      for (const order of [
        `"timestamp":5,${NAMED}`,
        `${NAMED},"timestamp":5`,
        `${NAMED} , "timestamp" : 5`,
      ]) {
        const two = encoder.encode(`{"metrics":[{${NAMED}},{${order}}]}`);
        assert.equal(decoder.decode(two, 0, two.length, out, 0, receivedAtMs, client), 2);
        assert.equal(decoder.timestampMsFirst, Math.min(5, receivedAtMs));
        assert.equal(decoder.timestampMsLast, Math.max(5, receivedAtMs));
      }
  });

  test("every character stands as it was sent, wherever it falls", () => {
    for (let before = 0; before < 16; before++) {
      const text = `${"a".repeat(before)}\u{10ffff}\x7f\u{10ffff}\x7f\x7fé`;
      for (const space of ["", " "])
        assert.deepEqual(
          decode(one(`"name":${space}"${text}","value":1,"tags":${space}{"${text}":"${text}"}`)),
          [
            `{"ts":1763890000123,"name":"${text}","value":1,"type":"gauge","tags":{"${text}":"${text}"},"client":"agent-1"}`,
          ],
        );
    }
  });

  test("tags like those of the metric before are its own", () => {
    const tags = [
      "{}",
      '{"a":"b"}',
      '{"a":"b"}',
      '{"a":"bc"}',
      '{"a":"b","c":"d"}',
      '{"a":"b","c":"d"}',
      '{"a": "b"}',
      '{"a": "b"}',
      "{}",
      "{}",
    ];
    for (const repeat of [1, 30]) {
      const sent = tags.flatMap((text) => Array<string>(repeat).fill(text));
      const lines = decode(`{"metrics":[${sent.map((text) => `{${NAMED},"tags":${text}}`).join(",")}]}`);
      assert.deepEqual(
        (lines as string[]).map((line) => JSON.stringify(JSON.parse(line).tags)),
        sent.map((text) => text.replace(" ", "")),
      );
    }
    assert.match(
      decode(
        `{"metrics":[{${NAMED},"tags":{"a":"b"}},{${NAMED},"tags":{"a":"b"},"tags":{"a":"b"}}]}`,
      ) as string,
      /metrics\[1\]\.tags: the key comes twice/,
    );
  });

  test("what follows the body in its array is not read, nor what a batch before left", () => {
    decode(one('"name":"a","value":1,"tags":{"k":"v"}'));
    for (const body of [
      one(NAMED),
      '{"metrics":[{"name":"a","value":1,"tags":{"k":"}',
      `{"metrics":[{${NAMED},"tags":{}`,
    ]) {
      const rest = '"}}]}","value":1}]}'.repeat(400);
      for (const [whole, length] of [
        [body, body.length],
        [body + rest, body.length],
      ] as const) {
        const bytes = encoder.encode(whole);
        const out = new Uint8Array(linesBytesMax(length, METRICS_MAX, client.length));
        const count = decoder.decode(bytes, 0, length, out, 0, RECEIVED_AT_MS, client);
        assert.equal(count, body === one(NAMED) ? 1 : 0);
      }
    }
  });

  test("batches of every size, small enough to be copied or not", () => {
    for (let count = 1; count <= 200; count += 7) {
      const metric = `{"name":"cpu_usage","value":75.5,"type":"gauge","tags":{"host":"web1"},"timestamp":1763890000000}`;
      const lines = decode(`{"metrics":[${Array(count).fill(metric).join(",")}]}`);
      assert.equal(lines.length, count);
      assert.equal(new Set(lines).size, 1);
    }
  });
});

describe("a refusal says which metric, which field and why", () => {
  const cases: [string, string, string][] = [
    ["an empty body", "", "json: not JSON at byte 0: expected a value"],
    [
      "a byte order mark",
      `\ufeff${one(NAMED)}`,
      "json: not JSON at byte 0: a byte order mark is not allowed",
    ],
    ["no object", "[]", 'batch: the body: must be an object {"metrics":[…]}, not an array'],
    [
      "a body cut short",
      '{"metrics":[{"name":"a"',
      "json: not JSON at byte 23: the body must end with '}'; it was cut short or has bytes after its end",
    ],
    ["bytes after the end", `${one(NAMED)}}`, "json: not JSON at byte 36: unexpected bytes after the end"],
    ["no metrics", "{}", 'batch: the body: must have the key "metrics"'],
    [
      "an unknown key of the body",
      '{"metric":[]}',
      'batch: the body: unknown key; the only one is "metrics"',
    ],
    [
      "metrics twice",
      `{"metrics":[{${NAMED}}],"metrics":[]}`,
      'batch: the body: the key "metrics" comes twice',
    ],
    [
      "metrics of another kind",
      '{"metrics":{}}',
      "batch: metrics: must be an array of metrics, not an object",
    ],
    ["an empty batch", '{"metrics":[ ]}', "batch: metrics: must hold at least one metric"],
    [
      "a metric of another kind",
      `{"metrics":[{${NAMED}},null]}`,
      "batch: metrics[1]: must be an object, not null",
    ],
    [
      "an unknown key",
      one(`${NAMED},"__proto__":{}`),
      'batch: metrics[0]["__proto__"]: unknown key; known are name, value, type, tags and timestamp',
    ],
    ["a key twice", one(`${NAMED},"value":2`), "batch: metrics[0].value: the key comes twice"],
    [
      "a key twice, once by escapes",
      one(`${NAMED},"n\\u0061me":"b"`),
      "batch: metrics[0].name: the key comes twice",
    ],
    ["no name", one('"value":1'), "batch: metrics[0]: must have a name"],
    ["no value", one('"name":"a"'), "batch: metrics[0]: must have a value"],
    ["nothing", one(""), "batch: metrics[0]: must have a name"],
    ["an empty name", one('"name":"","value":1'), "batch: metrics[0].name: must not be empty"],
    [
      "a name of another kind",
      one('"name":5,"value":1'),
      "batch: metrics[0].name: must be a string, not a number",
    ],
    [
      "a value of another kind",
      one('"name":"a","value":"1"'),
      "batch: metrics[0].value: must be a finite number, not a string",
    ],
    ["NaN", one('"name":"a","value":NaN'), "json: not JSON at byte 32: expected a value"],
    [
      "Infinity",
      one('"name":"a","value":-Infinity'),
      "json: not JSON at byte 32: a number is not written as JSON asks",
    ],
    [
      "a huge exponent",
      one('"name":"a","value":1e400'),
      "batch: metrics[0].value: must be a finite number; this one is too large for a double",
    ],
    [
      "a huge integer",
      one(`"name":"a","value":-${"9".repeat(400)}`),
      "batch: metrics[0].value: must be a finite number; this one is too large for a double",
    ],
    ["a leading zero", one('"name":"a","value":01'), "json: not JSON at byte 33: expected ',' or '}'"],
    [
      "an unknown type",
      one(`${NAMED},"type":"gauges"`),
      "batch: metrics[0].type: must be one of counter, gauge, histogram and summary",
    ],
    [
      "tags of another kind",
      one(`${NAMED},"tags":[]`),
      "batch: metrics[0].tags: must be an object of strings, not an array",
    ],
    [
      "a tag of another kind",
      one(`${NAMED},"tags":{"a":"b","host":1}`),
      'batch: metrics[0].tags["host"]: must be a string, not a number',
    ],
    [
      "a tag twice",
      one(`${NAMED},"tags":{"a":"b","a":"c"}`),
      'batch: metrics[0].tags["a"]: the tag comes twice',
    ],
    [
      "a tag twice, once by escapes",
      one(`${NAMED},"tags":{"\\u00e9":"b","é":"c"}`),
      'batch: metrics[0].tags["é"]: the tag comes twice',
    ],
    [
      "too many tags",
      one(`${NAMED},"tags":{${Array.from({ length: 33 }, (_, index) => `"${index}":""`).join(",")}}`),
      "batch: metrics[0].tags: must hold at most 32 tags",
    ],
    [
      "a timestamp of another kind",
      one(`${NAMED},"timestamp":"now"`),
      "batch: metrics[0].timestamp: must be an integer of milliseconds since 1970, not a string",
    ],
    [
      "a lone surrogate",
      one('"name":"\\ud800","value":1'),
      "batch: metrics[0].name: has an escape \\ud800 to \\udfff without its other half",
    ],
    [
      "a surrogate pair the wrong way round",
      one(`${NAMED},"tags":{"k":"\\ude00\\ud83d"}`),
      'batch: metrics[0].tags["k"]: has an escape \\ud800 to \\udfff without its other half',
    ],
    [
      "a control in a string",
      one('"name":"a\nb","value":1'),
      "json: not JSON at byte 22: a control character in a string must be escaped",
    ],
    [
      "an unknown escape",
      one('"name":"\\x41","value":1'),
      'json: not JSON at byte 21: an escape must be one of \\" \\\\ \\/ \\b \\f \\n \\r \\t or \\u and four hex digits',
    ],
    [
      "a string that does not end",
      '{"metrics":[{"name":"a}]}',
      "json: not JSON at byte 20: a string is not closed",
    ],
    ["a missing colon", one('"name" "a"'), "json: not JSON at byte 20: expected ':' after a key"],
    ["a missing comma", one('"name":"a" "value":1'), "json: not JSON at byte 24: expected ',' or '}'"],
    ["a comma too many", one(`${NAMED},`), "json: not JSON at byte 34: expected a key in double quotes"],
    [
      "a comma too many between metrics",
      `{"metrics":[{${NAMED}},]}`,
      "json: not JSON at byte 35: expected a value",
    ],
    ["an array not closed", `{"metrics":[{${NAMED}}}`, "json: not JSON at byte 34: expected ',' or ']'"],
  ];
  for (const [what, body, refusal] of cases) test(what, () => assert.equal(decode(body), refusal));

  for (const timestamp of [
    "-1",
    "-0",
    "1.5",
    "1.0",
    "1e3",
    String(TIMESTAMP_MS_MAX + 1),
    "99999999999999999999999",
  ])
    test(`the timestamp ${timestamp}`, () =>
      assert.match(
        decode(one(`${NAMED},"timestamp":${timestamp}`)) as string,
        /^batch: metrics\[0\]\.timestamp: must be an integer/,
      ));

  for (const value of [
    "1.",
    "-",
    "-.5",
    ".5",
    "+1",
    "1e",
    "1e+",
    "1E-",
    "1.e1",
    "1.5.2",
    "0x10",
    "00",
    "-01",
    "1_000",
    "1e5e",
  ])
    test(`the value ${value}, whichever way it is read`, () => {
      assert.match(decode(one(`"name":"a","value":${value}`)) as string, /^json: /);
      assert.match(decode(one(`"value":${value},"name":"a"`)) as string, /^json: /);
      assert.match(decode(one(`"name":"a" ,"value" : ${value}`)) as string, /^json: /);
    });

  test("a timestamp with leading zeros, of as many digits as usual", () => {
    for (const timestamp of ["0000000000001", "01763890000000", "00"])
      for (const fields of [`${NAMED},"timestamp":${timestamp}`, `"timestamp":${timestamp},${NAMED}`])
        assert.match(decode(one(fields)) as string, /^json: /);
  });

  test("any key twice, in any order, white space or not", () => {
    const fields = [
      '"name":"a"',
      '"value":1',
      '"type":"gauge"',
      '"tags":{"a":"b"}',
      '"timestamp":1763890000000',
    ];
    for (const [index, field] of fields.entries())
      for (const order of [
        fields,
        fields.toReversed(),
        ...fields.map((_, at) => fields.toSpliced(at, 0, field)),
      ])
        for (const separator of [",", ", ", " , "]) {
          const twice = order === fields || order.length === fields.length ? [...order, field] : order;
          const key = ["name", "value", "type", "tags", "timestamp"][index];
          assert.equal(decode(one(twice.join(separator))), `batch: metrics[0].${key}: the key comes twice`);
        }
  });

  test("a body cut short anywhere, long or not, however it is read", () => {
    const metrics = [
      '{"name":"cpu","value":1,"tags":{"a":"b"}}',
      '{"value":2,"name":"é"}',
      '{"name":"\\u0061","value":1e100}',
    ];
    for (const metric of metrics)
      for (const count of [1, 150]) {
        const body = `{"metrics":[${Array(count).fill(metric).join(",")}]}`;
        assert.equal(decode(body).length, count);
        for (let length = Math.max(0, body.length - 300); length < body.length; length++)
          assert.equal(typeof decode(body.slice(0, length)), "string");
      }
  });

  test("more metrics than a batch may hold", () => {
    const body = (count: number) => `{"metrics":[${Array(count).fill(`{${NAMED}}`).join(",")}]}`;
    assert.equal(decode(body(3), 3).length, 3);
    assert.match(decode(body(4), 3) as string, /^batch: metrics: holds more metrics than one batch may/);
  });

  test("bytes that are not UTF-8", () => {
    const broken = [
      [0x80],
      [0xc0, 0x80],
      [0xc3],
      [0xe0, 0x80, 0x80],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf5, 0x80, 0x80, 0x80],
      [0xe2, 0x28, 0xa1],
      [0xff],
    ];
    for (const bytes of broken) {
      const around = encoder.encode(one('"name":"?","value":1'));
      const at = around.indexOf(0x3f);
      const body = Uint8Array.from([...around.subarray(0, at), ...bytes, ...around.subarray(at + 1)]);
      assert.equal(decode(body), "json: not JSON at byte 21: the bytes are not UTF-8");
    }
  });

  test("no control character of the body is echoed", () => {
    assert.equal(
      decode(one(`${NAMED},"\x7f\u0085\\u0000\\"${"k".repeat(99)}":1`)),
      `batch: metrics[0]["..\\u0000\\"${"k".repeat(53)}…"]: unknown key; known are name, value, type, tags and timestamp`,
    );
  });

  test("floods are refused like anything else: depth, length, a tag of 1 MB", () => {
    const deep = "[".repeat(500_000);
    const long = "x".repeat(1_000_000);
    assert.match(decode(deep) as string, /^batch: /);
    assert.match(decode(`{"metrics":${deep}`) as string, /^json: /);
    assert.match(decode(one(`${NAMED},"tags":${'{"a":'.repeat(100_000)}}`)) as string, /^batch: /);
    assert.match(decode(one(`"name":"${long}","value":1`)) as string, /^batch: .*at most 255/);
    assert.match(decode(one(`"${long}":1`)) as string, /^batch: .*unknown key/);
    assert.match(
      decode(one(`"name":"a","value":1e${"9".repeat(1_000_000)}`)) as string,
      /^batch: .*too large/,
    );
    assert.match(decode(one(`"name":"${long}`)) as string, /^json: /);
    assert.equal(decode(one(`${NAMED},"tags":{"a":"${long}"}`)).length, 1);
    assert.equal(decode(one(`${NAMED},"tags":{"a":"${"\\u0061".repeat(100_000)}"}`)).length, 1);
  });
});
