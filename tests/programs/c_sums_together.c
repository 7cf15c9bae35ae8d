// Sums of doubles in nests of loops, which may be added several at a time.
#include <stdio.h>

#define N 13

static double a[N][N], b[N][N], c[N][N], row[N], other[N];
static float small[N][N], narrow[N];
static int n = N, counts[N] = {0, 3, 9, 1};
double shared[N];
static double *through = row;

static void product(int rows, int columns)
{
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            double sum = 0.0;
            for (int k = 0; k < n; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

static double all(void)
{
    double total = 0.0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++)
            total = total * 0.875 + c[i][j];
    return total;
}

static double two_chains(int first, unsigned last)
{
    double handed_on = 1.0;
    for (unsigned j = (unsigned)first; j != last; j++) {
        double sum = row[j % N], less = -1.0;
        for (int k = 0; k < counts[2]; k++) {
            sum = sum * 0.5 + a[j % N][k];
            less -= b[k][j % N] * sum;
        }
        handed_on = handed_on * 0.25 + sum - less;
        other[j % N] = handed_on;
    }
    return handed_on;
}

static float downwards(long from, long to)
{
    float last = 0.0f;
    for (long j = from; j > to; j -= 3) {
        float sum = (float)j;
        for (long k = 0; k < 9; k++)
            sum += small[k][j] / 3.0f;
        narrow[j] = last = sum;
    }
    return last + narrow[1] * narrow[4] + narrow[7];
}

static float unequal(long from)
{
    float last = 0.0f;
    for (long j = from; j >= 0; j--) {
        float sum = last;
        for (long k = 0; k < j; k++)
            sum += small[k][j] / 3.0f;
        narrow[j] = sum;
        last = sum / 2.0f;
    }
    return last + narrow[1] * narrow[4] + narrow[7];
}

/* What is stored behind the inner loop is read by it in the next round. */
static void reads_what_it_writes(double *to)
{
    for (int j = 1; j < n; j++) {
        double sum = 0.0;
        for (int k = 0; k < 9; k++)
            sum += row[k] * b[k][j];
        row[j % 9] = sum / 64.0;
    }
    for (int j = 1; j < n; j++) {
        double sum = 0.0;
        for (int k = 0; k < 9; k++)
            sum += shared[k] * b[k][j];
        to[j % 9] = sum / 64.0;
    }
    for (int j = 1; j < n; j++) {
        double sum = 0.0;
        for (int k = 0; k < counts[j % 4] % 7; k++)
            sum += through[k] + 1.0;
        counts[j % 4] += (int)sum & 3;
    }
}

/* What one round hands on to the next before its inner loop, and behind it. */
static double hands_on(int rounds)
{
    double early = 1.0, late = 0.0;
    const double *place = &a[0][0];
    for (int j = 0; j < rounds; j++) {
        double sum = early;
        for (int k = 0; k < 5; k++)
            sum += place[k] * late;
        early = early * 0.5 + j;
        late = sum > 100.0 ? sum / 128.0 : sum;
        place += 7;
    }
    double started = 1.0;
    for (int j = 0; j < rounds; j++) {
        started = started * 0.75 + j;
        double sum = started;
        for (int k = 0; k < 5; k++)
            sum -= a[k][j] * started;
        other[j] = sum;
    }
    return early + late + started;
}

int main(void)
{
    unsigned seed = 5;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            seed = seed * 1664525u + 1013904223u;
            a[i][j] = (double)(seed >> 16) / 4096.0 - 7.0;
            b[i][j] = (double)(seed >> 8 & 0xffff) / 1024.0;
            small[i][j] = (float)(seed & 0xff);
            row[i] = shared[i] = a[i][j] + 1.0;
        }
    for (n = 0; n <= N; n++)
        for (int columns = 0; columns <= N; columns += n % 3 + 1) {
            product(n, columns);
            printf("%d %d %a\n", n, columns, all());
        }
    n = N;
    for (int first = -5; first < 3; first += 3)
        for (int rounds = 0; rounds < 11; rounds++)
            printf("%d %a\n", rounds, two_chains(first, (unsigned)(first + rounds)));
    for (long from = -1; from < N; from++)
        printf("%ld %a\n", from, downwards(from, from % 3));
    for (long from = -1; from < N; from++)
        printf("%ld %a\n", from, unequal(from));
    reads_what_it_writes(shared);
    for (int rounds = 0; rounds < N; rounds++)
        printf("%a %a\n", hands_on(rounds), other[rounds]);
    for (int i = 0; i < N; i++)
        printf("%a %a %a %d\n", row[i], shared[i], other[i], counts[i]);
    return 0;
}
