/* Conjugate gradients in the manner of the NAS Parallel Benchmark CG: the
 * smallest eigenvalue of a random sparse symmetric matrix by inverse iteration,
 * each step a linear system solved by 25 steps of conjugate gradients.
 *
 *     cg [class]          T (for interpreters), S or W (default)
 *
 * The matrix is NPB's, a weighted sum of outer products of random sparse
 * vectors, so for classes S and W the result is checked against the value NPB
 * states.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "../npb/random.h"

#define SEED UINT64_C(314159265)
#define INNER_STEPS 25
#define CONDITION 0.1
#define TOLERANCE 1e-10

struct problem {
    char name;
    int n;       /* rows */
    int nonzeros; /* of each random vector */
    int steps;
    double shift;
    double stated; /* zeta by NPB, 0 if it has no such class */
};

static const struct problem problems[] = {
    {'T', 48, 3, 2, 5.0, 0.0},
    {'S', 1400, 7, 15, 10.0, 8.5971775078648},
    {'W', 7000, 8, 15, 12.0, 10.362595087124},
};

/* A random sparse vector: its places and values. */
struct sparse_vector {
    int count;
    int *place;
    double *value;
};

/* Row i holds the entries [start[i], start[i + 1]), in order of columns. */
struct matrix {
    int n;
    int *start;
    int *column;
    double *value;
};

static uint64_t random_state;

static void *get(size_t count, size_t size)
{
    void *p = calloc(count, size);

    if (p == NULL) {
        fprintf(stderr, "cg: not enough memory\n");
        exit(1);
    }
    return p;
}

static double next_random(void)
{
    return npb_random(&random_state, NPB_A);
}

static int find_place(const struct sparse_vector *v, int place)
{
    for (int k = 0; k < v->count; k++) {
        if (v->place[k] == place)
            return k;
    }
    return -1;
}

/* Random values at distinct random places, and 1/2 at the vector's own. */
static void make_vector(struct sparse_vector *v, int n, int nonzeros, int own)
{
    int power = 1;

    while (power < n)
        power *= 2;
    v->count = 0;
    v->place = get((size_t)nonzeros + 1, sizeof v->place[0]);
    v->value = get((size_t)nonzeros + 1, sizeof v->value[0]);
    while (v->count < nonzeros) {
        double value = next_random();
        int place = (int)(power * next_random());
        if (place >= n || find_place(v, place) >= 0)
            continue;
        v->place[v->count] = place;
        v->value[v->count++] = value;
    }
    int k = find_place(v, own);
    if (k < 0) {
        k = v->count++;
        v->place[k] = own;
    }
    v->value[k] = 0.5;
}

/* Adds to the entry of a row, or inserts it in order of columns.  There is room for it behind. */
static void add_entry(struct matrix *m, int *used, int row, int column, double value)
{
    int first = m->start[row];
    int k = first + used[row];

    while (k > first && m->column[k - 1] >= column)
        k--;
    if (k < first + used[row] && m->column[k] == column) {
        m->value[k] += value;
        return;
    }
    for (int i = first + used[row]; i > k; i--) {
        m->column[i] = m->column[i - 1];
        m->value[i] = m->value[i - 1];
    }
    m->column[k] = column;
    m->value[k] = value;
    used[row]++;
}

/* Closes the gaps that duplicate entries left between the rows. */
static void compact(struct matrix *m, const int *used)
{
    int to = 0;

    for (int row = 0; row < m->n; row++) {
        int from = m->start[row];
        m->start[row] = to;
        for (int k = 0; k < used[row]; k++, to++) {
            m->column[to] = m->column[from + k];
            m->value[to] = m->value[from + k];
        }
    }
    m->start[m->n] = to;
}

/* sum over i of size^i v_i v_i^T, and (condition - shift) on the diagonal. */
static void make_matrix(struct matrix *m, const struct problem *p)
{
    int n = p->n;
    struct sparse_vector *v = get((size_t)n, sizeof v[0]);
    int *used = get((size_t)n, sizeof used[0]);
    double size = 1.0;
    double ratio = pow(CONDITION, 1.0 / n);

    m->n = n;
    m->start = get((size_t)n + 1, sizeof m->start[0]);
    for (int i = 0; i < n; i++) {
        make_vector(&v[i], n, p->nonzeros, i);
        for (int k = 0; k < v[i].count; k++)
            m->start[v[i].place[k] + 1] += v[i].count;
    }
    for (int row = 0; row < n; row++)
        m->start[row + 1] += m->start[row];
    m->column = get((size_t)m->start[n], sizeof m->column[0]);
    m->value = get((size_t)m->start[n], sizeof m->value[0]);

    for (int i = 0; i < n; i++) {
        for (int a = 0; a < v[i].count; a++) {
            int row = v[i].place[a];
            double scale = size * v[i].value[a];
            for (int b = 0; b < v[i].count; b++) {
                double value = v[i].value[b] * scale;
                if (row == i && v[i].place[b] == i)
                    value = value + CONDITION - p->shift;
                add_entry(m, used, row, v[i].place[b], value);
            }
        }
        size *= ratio;
        free(v[i].place);
        free(v[i].value);
    }
    compact(m, used);
    free(used);
    free(v);
}

static double dot(int n, const double *x, const double *y)
{
    double sum = 0.0;

    for (int i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void multiply(const struct matrix *m, const double *x, double *y)
{
    for (int row = 0; row < m->n; row++) {
        double sum = 0.0;
        for (int k = m->start[row]; k < m->start[row + 1]; k++)
            sum += m->value[k] * x[m->column[k]];
        y[row] = sum;
    }
}

/* Solves m z = x in the fixed number of steps; returns |x - m z|.  work: 3n. */
static double solve(const struct matrix *m, const double *x, double *z, double *work)
{
    int n = m->n;
    double *r = work;
    double *p = work + n;
    double *q = work + 2 * n;

    for (int i = 0; i < n; i++) {
        z[i] = 0.0;
        r[i] = p[i] = x[i];
    }
    double rho = dot(n, r, r);
    for (int step = 0; step < INNER_STEPS; step++) {
        multiply(m, p, q);
        double alpha = rho / dot(n, p, q);
        for (int i = 0; i < n; i++) {
            z[i] += alpha * p[i];
            r[i] -= alpha * q[i];
        }
        double before = rho;
        rho = dot(n, r, r);
        double beta = rho / before;
        for (int i = 0; i < n; i++)
            p[i] = r[i] + beta * p[i];
    }
    multiply(m, z, r);
    double sum = 0.0;
    for (int i = 0; i < n; i++)
        sum += (x[i] - r[i]) * (x[i] - r[i]);
    return sqrt(sum);
}

int main(int argc, char **argv)
{
    char name = argc > 1 ? argv[1][0] : 'W';
    const struct problem *p = NULL;
    struct matrix m;

    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        if (problems[i].name == name)
            p = &problems[i];
    }
    if (p == NULL) {
        fprintf(stderr, "cg: no class %c; there are T, S and W\n", name);
        return 2;
    }
    random_state = SEED;
    next_random(); /* NPB throws the first number away */
    make_matrix(&m, p);

    double *x = get((size_t)p->n, sizeof x[0]);
    double *z = get((size_t)p->n, sizeof z[0]);
    double *work = get(3 * (size_t)p->n, sizeof work[0]);
    double zeta = 0.0;
    double worst = 0.0;
    for (int i = 0; i < p->n; i++)
        x[i] = 1.0;
    for (int step = 1; step <= p->steps; step++) {
        double residual = solve(&m, x, z, work);
        double norm = 1.0 / sqrt(dot(p->n, z, z));
        if (residual > worst)
            worst = residual;
        zeta = p->shift + 1.0 / dot(p->n, x, z);
        printf("step %2d: zeta %.9f\n", step, zeta);
        for (int i = 0; i < p->n; i++)
            x[i] = norm * z[i];
    }
    int verified = worst < 1e-8;
    printf("CG class %c: %d rows, %d entries, residuals %s 1e-8\n", name, p->n, m.start[p->n],
           verified ? "below" : "NOT BELOW");
    if (p->stated != 0.0) {
        verified = verified && fabs(zeta - p->stated) / p->stated <= TOLERANCE;
        printf("zeta %s\n", verified ? "as stated by NPB" : "DIFFERS from NPB's");
    }
    free(m.start);
    free(m.column);
    free(m.value);
    free(x);
    free(z);
    free(work);
    return verified ? 0 : 1;
}
